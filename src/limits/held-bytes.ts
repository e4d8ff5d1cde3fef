import { Failure } from '../http/failure.ts';

export type HeldBytesLimits = {
  /** Bytes of request bodies in memory, of all requests together; 0 for any. */
  readonly total: number;
  /** The same for the requests of one caller; 0 for any. */
  readonly perCaller: number;
};

/** The bytes that one request holds. */
export type Hold = {
  /**
   * Counts more bytes. Throws a 413 if this request alone exceeds a limit, a 429 or a 503 if others
   * do with it. Then the bytes are not counted.
   */
  add(bytes: number): void;
  /** Gives all bytes of this request back. May be called more than once. */
  release(): void;
};

export type HeldBytes = {
  /** Begins to count for a request of a caller, who is named by key or address. */
  open(caller: string): Hold;
  /** Bytes held now by all requests. */
  total(): number;
};

/**
 * A budget for request bodies that are read into memory. Each body has its own limit
 * (`MAX_BODY_BYTES`), but many slow ones together would fill the memory: 40 connections that send
 * 30 of 32 MiB and stop hold 1.2 GB.
 */
export function createHeldBytes(limits: HeldBytesLimits): HeldBytes {
  const byCaller = new Map<string, number>();
  let total = 0;

  const hold = (caller: string): Hold => {
    let held = 0;
    let isReleased = false;
    return {
      add(bytes) {
        if (isReleased || bytes <= 0) return;
        const ofCaller = byCaller.get(caller) ?? 0;
        const most = limits.perCaller || limits.total;
        if (most > 0 && held + bytes > most) throw tooLarge(most);
        if (limits.perCaller > 0 && ofCaller + bytes > limits.perCaller) throw tooManyOfCaller();
        if (limits.total > 0 && total + bytes > limits.total) throw tooMany();
        held += bytes;
        total += bytes;
        byCaller.set(caller, ofCaller + bytes);
      },
      release() {
        if (isReleased) return;
        isReleased = true;
        total -= held;
        const left = (byCaller.get(caller) ?? 0) - held;
        if (left > 0) byCaller.set(caller, left);
        else byCaller.delete(caller);
      },
    };
  };
  return { open: hold, total: () => total };
}

const soon = { headers: { 'retry-after': '1' } };

function tooLarge(most: number): Failure {
  return new Failure(
    'body_too_large',
    `The request body is larger than the ${most} bytes that one caller may hold in memory. MAX_HELD_BYTES at the gateway is twice that.`,
  );
}

function tooManyOfCaller(): Failure {
  return new Failure(
    'rate_limit_exceeded',
    'Your other requests are still sending large bodies. Wait until one of them ends, then send this one again.',
    soon,
  );
}

function tooMany(): Failure {
  return new Failure(
    'unavailable',
    'The gateway holds as many bytes of request bodies as MAX_HELD_BYTES allows. Try again shortly.',
    soon,
  );
}
