import { Failure, toFailure } from '../../http/failure.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Segment } from '../../segments/segment.ts';
import { createIdleTimer } from '../../streams/idle-timer.ts';
import type { SegmentBatches } from '../upstream.ts';
import type { ByteSource } from './byte-source.ts';
import type { Client } from './client.ts';
import { type ContinueOptions, isRefusal, nextSource } from './continue-turn.ts';
import { errorSegment, lastSegments, tidyUp } from './end-turn.ts';
import type { TurnReader } from './turn.ts';

export type TurnOptions = ContinueOptions & {
  readonly hide: boolean;
  /** Seconds of silence after which the upstream is given up; 0 for no limit. */
  readonly idleSeconds: number;
  /**
   * Whether the upstream must stop if the caller leaves. Otherwise it writes its answer to the end.
   */
  readonly stopWhenLeft: boolean;
  /** Called once the upstream is read no more. */
  onOver(): void;
};

/**
 * Most bytes of one turn. Cumulative streams are long: an answer of 30,000 tokens has some 2 GB.
 */
const maxTurnBytes = 8 * 1024 ** 3;
/** Most characters of one answer, which is held in memory. */
const maxAnswerLength = 64 * 1024 * 1024;

const endOfBytes = { done: true, value: undefined } as const;
const endOfBatches = { done: true, value: undefined } as const;

/**
 * Runs one turn: reads the answer from all the streams it comes in, asks the upstream to continue
 * it if it was cut, and tidies up however the turn ends. One batch of segments for each read of the
 * upstream. The last segment is a `finish` or an `error`. If the caller leaves, the turn ends at
 * once, also if it is not read.
 */
export function runTurn(
  first: ByteSource,
  reader: TurnReader,
  client: Client,
  options: TurnOptions,
  ports: Ports,
  caller: AbortSignal,
): SegmentBatches {
  const own = new AbortController();
  const signal = AbortSignal.any([caller, own.signal]);
  let source: ByteSource = first;
  let stage: 'reading' | 'between' | 'ending' = 'reading';
  const counts = { continued: 0, confirmed: 0, resumed: 0, polled: 0 };
  let bytes = 0;
  let length = 0;
  let refusal: Failure | null = null;
  let isSilent = false;
  /** Whether the upstream has nothing left to stop. */
  let isUpstreamDone = false;
  let isOver = false;
  /** Why the turn failed, until its reader has got it. */
  let failure: Failure | null = null;

  const cancel = (): void => void Promise.resolve(source.cancel()).catch(() => {});
  const idle = createIdleTimer(options.idleSeconds, () => {
    isSilent = true;
    own.abort();
    cancel();
  });
  const finish = (): void => {
    if (isOver) return;
    isOver = true;
    caller.removeEventListener('abort', leave);
    idle.end();
    cancel();
    own.abort();
    options.onOver();
    const { conversationId } = reader.state;
    const stop = !isUpstreamDone && options.stopWhenLeft;
    const hide = options.hide && !options.historyDisabled;
    ports.tasks.defer(tidyUp(client, { conversationId, stop, hide }, ports));
  };
  const leave = (): void => {
    if (caller.reason instanceof Failure) failure = caller.reason;
    finish();
  };
  if (caller.aborted) leave();
  else caller.addEventListener('abort', leave);

  const count = (chunk: Uint8Array | undefined, segments: readonly Segment[]): void => {
    bytes += chunk?.length ?? 0;
    for (const segment of segments) if ('text' in segment) length += segment.text.length;
    if (bytes > maxTurnBytes || length > maxAnswerLength)
      throw new Failure('upstream_error', 'The answer of the upstream is too long.');
  };

  /** The stream is at its end: what its reader held back. */
  const endStream = (): readonly Segment[] => {
    stage = 'between';
    const segments = reader.end();
    const { outcome } = reader.state;
    isUpstreamDone = ['whole', 'failed', 'blocked', 'empty'].includes(outcome);
    return segments;
  };

  /** Opens the next stream of the turn, if there is one. */
  const proceed = async (): Promise<void> => {
    isUpstreamDone = false;
    const next = await nextSource(reader, client, options, ports, signal, counts);
    if (next === null || isRefusal(next)) {
      refusal = next?.refusal ?? null;
      stage = 'ending';
      isUpstreamDone = true;
      return;
    }
    source = next;
    stage = 'reading';
    if (isOver) cancel();
  };

  /** The error of a turn that failed, once. */
  const afterEnd = (): IteratorResult<readonly Segment[], undefined> => {
    if (failure === null) return endOfBatches;
    const value = [...reader.flush(), errorSegment(failure)];
    failure = null;
    return { done: false, value };
  };

  return {
    // One async function for all that happens between two batches: each more costs a promise a
    // chunk.
    async next() {
      try {
        while (!isOver) {
          if (stage === 'between') {
            await proceed();
            continue;
          }
          let segments: readonly Segment[];
          if (stage === 'reading') {
            let chunk: Awaited<ReturnType<ByteSource['read']>>;
            idle.start();
            try {
              chunk = await source.read();
            } catch (error) {
              // The reader knows what is missing if a connection breaks.
              if (error instanceof Failure) throw error;
              chunk = endOfBytes;
            }
            idle.stop();
            if (isOver) break;
            if (isSilent) throw silent(options.idleSeconds);
            segments = chunk.done || !chunk.value ? endStream() : reader.push(chunk.value);
            count(chunk.value, segments);
          } else {
            segments = lastSegments(reader, refusal);
            finish();
          }
          if (segments.length > 0) return { done: false, value: segments };
        }
      } catch (error) {
        if (!isOver) {
          isUpstreamDone = !caller.aborted;
          finish();
          failure = toFailure(error);
        }
      }
      return afterEnd();
    },
    async return() {
      finish();
      return endOfBatches;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function silent(seconds: number): Failure {
  return new Failure(
    'upstream_timeout',
    `The upstream fell silent for ${seconds} seconds in the middle of its answer. IDLE_TIMEOUT sets how long to wait.`,
  );
}
