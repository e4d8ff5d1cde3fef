import { Failure, toFailure } from '../../http/failure.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Segment } from '../../segments/segment.ts';
import { createIdleTimer } from '../../streams/idle-timer.ts';
import { backgroundPictures, storedAnswer } from './background.ts';
import type { Client } from './client.ts';
import { type ConversationOptions, composeConfirm, composeContinue } from './compose.ts';
import { listen, topicHello } from './socket.ts';
import { asStream, bodyOf } from './source.ts';
import type { createTurnReader } from './turn.ts';

export type ConverseOptions = ConversationOptions & {
  /** How often an answer that was cut for length is asked to go on. */
  readonly continueRounds: number;
  readonly allowActions: boolean;
  readonly hide: boolean;
  /** Seconds of silence after which the upstream is given up; 0 for never. */
  readonly idleSeconds: number;
  /** Whether the upstream is told to stop where the caller leaves; else it writes its answer to the end. */
  readonly stopWhenLeft: boolean;
};

type Reader = ReturnType<typeof createTurnReader>;

/**
 * Holds one turn: reads the answer in as many streams as it comes in, asks it to go on where it was cut, and tidies up whatever
 * happens. The last segment is a `finish` or an `error`.
 */
export async function* runTurn(
  first: Response,
  reader: Reader,
  client: Client,
  options: ConverseOptions,
  ports: Ports,
  callers: AbortSignal,
): AsyncGenerator<readonly Segment[]> {
  const ours = new AbortController();
  const signal = AbortSignal.any([callers, ours.signal]);
  let over = false;
  try {
    let source = await bodyOf(first, client, ports, signal);
    for (let round = 0; ; round++) {
      yield* reading(source, reader, options.idleSeconds, () => ours.abort());
      const last = reader.end();
      // Where the upstream is through, nobody need stop it, whoever stops reading here.
      over =
        reader.state.outcome === 'whole' ||
        reader.state.outcome === 'failed' ||
        reader.state.outcome === 'blocked';
      yield last;
      over = false;
      const next = await nextStream(reader, client, options, ports, signal, round);
      if (!next) break;
      source = next;
    }
    // Nothing runs there any more: who reads the last of it need not wait for us.
    over = true;
    yield* ending(reader, client, signal);
  } catch (error) {
    over = !callers.aborted;
    const { message } = toFailure(error);
    yield [
      ...reader.flush(),
      { kind: 'error', message, code: error instanceof Failure ? error.code : 'upstream_error' },
    ];
  } finally {
    ours.abort();
    ports.tasks.defer(tidy(reader.state.conversationId, over, client, options, ports));
  }
}

async function* reading(
  source: AsyncIterable<Uint8Array>,
  reader: Reader,
  idleSeconds: number,
  giveUp: () => void,
): AsyncGenerator<readonly Segment[]> {
  const iterator = source[Symbol.asyncIterator]();
  // Not waited for: a source that is silent would not answer.
  const leave = () => void iterator.return?.().catch(() => {});
  let isSilent = false;
  const silence = createIdleTimer(idleSeconds, () => {
    isSilent = true;
    giveUp();
    leave();
  });
  try {
    for (;;) {
      silence.start();
      const { done, value } = await iterator.next();
      silence.stop();
      if (done) break;
      const segments = reader.push(value);
      if (segments.length > 0) yield segments;
    }
  } catch (error) {
    // A connection that breaks is told by what is missing.
    if (error instanceof Failure) throw error;
  } finally {
    silence.end();
    leave();
  }
  if (isSilent) throw silent(idleSeconds);
}

/** The stream that the turn goes on in; null where it does not. */
async function nextStream(
  reader: Reader,
  client: Client,
  options: ConverseOptions,
  ports: Ports,
  signal: AbortSignal,
  round: number,
): Promise<AsyncIterable<Uint8Array> | null> {
  const { outcome, conversationId, messageId, confirmation, topic } = reader.state;
  if (conversationId === null) return null;
  if (outcome === 'cut' && messageId !== null && round < options.continueRounds && !options.historyDisabled) {
    const answer = await client
      .conversation(composeContinue(conversationId, messageId, options), signal)
      .catch(() => null);
    if (!answer) return null;
    reader.resume(true);
    return bodyOf(answer, client, ports, signal);
  }
  if (outcome === 'confirmation' && confirmation && options.allowActions && round < 8) {
    const payload = composeConfirm(conversationId, confirmation, options);
    if (!payload) return null;
    const answer = await client.conversation(payload, signal);
    reader.resume(false);
    return bodyOf(answer, client, ports, signal);
  }
  if (outcome === 'handoff' && topic === null) {
    const messages = await storedAnswer(client, conversationId, signal);
    if (!messages) return null;
    reader.resume(false);
    return asStream(messages, conversationId);
  }
  if (outcome === 'handoff' && topic !== null) {
    reader.resume(false);
    const url = await client.topicSocketUrl(signal);
    return listen(
      ports.http.openSocket,
      url,
      { conversationId: null, responseId: null, topic },
      topicHello(topic),
      signal,
    );
  }
  return null;
}

/** The last batch: what the turn's outcome means to the reader. */
async function* ending(
  reader: Reader,
  client: Client,
  signal: AbortSignal,
): AsyncGenerator<readonly Segment[]> {
  const { outcome, conversationId, confirmation } = reader.state;
  const held = reader.flush();
  switch (outcome) {
    case 'whole':
      yield [...held, { kind: 'finish', reason: 'stop' }];
      break;
    case 'cut':
      yield [...held, { kind: 'finish', reason: 'length' }];
      break;
    case 'blocked':
      yield [...held, { kind: 'finish', reason: 'content_filter' }];
      break;
    case 'confirmation':
      yield [
        ...held,
        {
          kind: 'notice',
          text: `this GPT wants to act at ${confirmation?.body.domain ?? 'a site'}, and asks first. The gateway's setting ALWAYS_ALLOW_ACTIONS lets it.`,
        },
        { kind: 'finish', reason: 'stop' },
      ];
      break;
    case 'background': {
      if (held.length > 0) yield held;
      const pictures =
        conversationId === null ? [] : await backgroundPictures(client, conversationId, signal);
      if (pictures.length > 0) yield [...pictures, { kind: 'finish', reason: 'stop' }];
      else
        yield [
          {
            kind: 'error',
            message: 'The picture was not ready in time. Ask again.',
            code: 'upstream_timeout',
          },
        ];
      break;
    }
    case 'handoff':
      yield [
        ...held,
        {
          kind: 'error',
          message: 'The upstream goes on with its answer where it cannot be followed.',
          code: 'upstream_error',
        },
      ];
      break;
    default:
      // The reader has told the error already.
      yield held;
  }
}

function silent(seconds: number): Failure {
  return new Failure('upstream_timeout', `The upstream fell silent for ${seconds} seconds (IDLE_TIMEOUT).`);
}

/** Ends what still runs, and hides what is not to be seen. Failures are logged, never the reader's affair. */
async function tidy(
  conversationId: string | null,
  over: boolean,
  client: Client,
  options: ConverseOptions,
  ports: Ports,
): Promise<void> {
  if (conversationId === null) return;
  try {
    if (!over && options.stopWhenLeft) await client.stop(conversationId).catch(() => {});
    if (options.hide && !options.historyDisabled) await client.hide(conversationId);
  } catch (error) {
    ports.log('warn', 'a conversation could not be hidden', { error: toFailure(error).message });
  }
}
