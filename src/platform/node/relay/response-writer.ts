import type { ServerResponse } from 'node:http';
import type { RawHeaders } from '../../../http/headers.ts';

/**
 * Up to this size bytes are joined as a string before they are written: latin1 is one byte a
 * character, and a string goes out with the head in one write. Larger ones cost more to copy than
 * to write on their own.
 */
const smallBytes = 16 * 1024;
/**
 * Between the last words of a broken response and the cut, in milliseconds. If both arrived at
 * once, many clients would drop the words unread.
 */
const lastWordsMs = 100;
const lastChunk = '0\r\n\r\n';

/**
 * Writes a relayed response. All bytes of one turn of the event loop leave in one write. Chunks are
 * framed here (RFC 9112 section 7.1), because `node:http` makes three writes of each.
 */
export class ResponseWriter {
  readonly #response: ServerResponse;
  readonly #onBlocked: () => void;
  /** Body bytes that were promised and not yet written; NaN if no length was given. */
  #left: number;
  readonly #isFramed: boolean;
  #isEmpty = true;
  /** Bytes of this turn, and whether they will be written at its end. */
  #pending = '';
  #isDue = false;
  #end: 'open' | 'finish' | 'cut' = 'open';

  constructor(
    response: ServerResponse,
    status: number,
    headers: RawHeaders,
    length: number,
    onBlocked: () => void,
  ) {
    this.#response = response;
    this.#onBlocked = onBlocked;
    this.#left = length;
    // No reason phrase of the upstream: it may hold bytes that HTTP does not allow.
    response.writeHead(status, headers as string[]);
    this.#isFramed = response.chunkedEncoding;
    // The head says that chunks follow. From here on we frame them.
    response.chunkedEncoding = false;
    // A stream shows its head at once; a short response leaves as head and body in one write.
    if (Number.isNaN(length)) this.#schedule();
  }

  write(chunk: Uint8Array): void {
    if (this.#response.destroyed || this.#end !== 'open') return;
    this.#isEmpty = false;
    if (this.#isFramed) return this.#frame(chunk);
    this.#left -= chunk.length;
    if (this.#left !== 0) return this.#written(this.#response.write(chunk));
    this.#end = 'finish';
    if (chunk.length > smallBytes) this.#response.end(chunk);
    else this.#response.end(latin1(chunk), 'latin1');
  }

  finish(): void {
    if (this.#end !== 'open') return;
    this.#end = 'finish';
    if (this.#isFramed) this.#schedule();
    else this.#response.end();
  }

  /** Sends what was written, then closes the connection without the end that HTTP asks for. */
  cut(): void {
    if (this.#end === 'finish' || this.#response.destroyed) return;
    this.#end = 'cut';
    this.#flush();
  }

  #frame(chunk: Uint8Array): void {
    if (chunk.length <= smallBytes) {
      this.#pending += latin1(chunk);
      return this.#schedule();
    }
    this.#flush();
    this.#response.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    this.#response.write(chunk);
    this.#written(this.#response.write('\r\n', 'latin1'));
  }

  #schedule(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    process.nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isDue = false;
    const text = this.#pending;
    this.#pending = '';
    const response = this.#response;
    if (response.destroyed || response.writableEnded) return;
    const frame = text === '' || !this.#isFramed ? text : `${text.length.toString(16)}\r\n${text}\r\n`;
    if (this.#end === 'finish') response.end(this.#isFramed ? frame + lastChunk : frame, 'latin1');
    else if (frame !== '') this.#written(response.write(frame, 'latin1'));
    else if (this.#isEmpty) response.flushHeaders();
    if (this.#end === 'cut') setTimeout(() => response.socket?.destroySoon(), lastWordsMs);
  };

  #written(isTaken: boolean): void {
    if (!isTaken && this.#end === 'open') this.#onBlocked();
  }
}

function latin1(chunk: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = chunk;
  return (chunk instanceof Buffer ? chunk : Buffer.from(buffer, byteOffset, byteLength)).toString('latin1');
}
