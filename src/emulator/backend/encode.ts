import { piecesOf } from '../openai/said.ts';
import type { Line, Script } from './script.ts';
import { encodeWire } from './wire-story.ts';

/** What the messages of a turn have in common. */
export type TurnHead = {
  readonly conversationId: string;
  readonly model: string;
  /** The messages of the request, which come back first. */
  readonly sent?: readonly Message[];
  newId(): string;
};

type Message = Record<string, unknown>;

/**
 * A script as the lines of an event stream, in the encoding it asks for, with the noise that the
 * real service makes.
 */
export function* encode(script: Script, head: TurnHead): Generator<string> {
  if (script.wire) yield* encodeWire(script.wire, head.conversationId, script.encoding ?? 'v0');
  else yield* script.encoding === 'v1' ? asDeltas(script, head) : asSnapshots(script, head);
}

function* asSnapshots(script: Script, head: TurnHead): Generator<string> {
  const { conversationId } = head;
  const event = (message: Message | null, error: string | null = null) =>
    `data: ${ascii(JSON.stringify({ message, conversation_id: conversationId, error }))}\n\n`;
  const moderation = (blocked: boolean) =>
    `data: ${JSON.stringify({ conversation_id: conversationId, message_id: 'm', is_completion: true, moderation_response: { flagged: blocked, blocked, moderation_id: 'mod' } })}\n\n`;
  yield event(messageOf({ role: 'system', text: '', endTurn: true }, head, 'sys', '', true));
  for (const message of sentBack(head)) yield event(message);
  for (const [i, line] of script.lines.entries()) {
    const id = head.newId();
    const finished = isWhole(line, script, i);
    yield event(messageOf(line, head, id, '', false));
    if (i === 0) yield `event: ping\r\ndata: 2024-04-27 01:35:43.686476\r\n\r\n${moderation(false)}`;
    let text = '';
    for (const piece of piecesOf(line.text ?? '')) {
      text += piece;
      yield event(messageOf(line, head, id, text, false));
    }
    // The finished snapshot is sent more than once while its metadata fills.
    if (finished)
      for (let again = 0; again < (line.endTurn ? 3 : 1); again++)
        yield event(messageOf(line, head, id, text, true));
  }
  if (script.ends === 'error') yield event(null, 'Something went wrong while generating the response.');
  if (script.ends === 'blocked') yield moderation(true);
  if (script.ends !== 'cut') yield 'data: [DONE]\n\n';
}

function* asDeltas(script: Script, head: TurnHead): Generator<string> {
  const { conversationId } = head;
  const typed = (type: string, more: object = {}) =>
    `data: ${JSON.stringify({ type, ...more, conversation_id: conversationId })}\n\n`;
  yield 'event: delta_encoding\ndata: "v1"\n\n';
  yield `: ping - 2025-03-12 06:00:55.349556+00:00\r\n\r\n${typed('input_message', { input_message: { content: { parts: ['hidden'] } } })}`;
  if (script.kept?.by === 'request')
    yield typed('resume_conversation_token', { kind: 'conduit', token: resumeToken(conversationId) });
  const echoes = sentBack(head);
  for (const [c, message] of echoes.entries())
    yield delta({ p: '', o: 'add', v: { message, conversation_id: conversationId, error: null }, c });
  for (const [i, line] of script.lines.entries()) {
    const id = head.newId();
    yield delta({
      p: '',
      o: 'add',
      v: { message: messageOf(line, head, id, '', false), conversation_id: conversationId, error: null },
      c: echoes.length + i,
    });
    const path = (line.type ?? 'text') === 'text' ? '/message/content/parts/0' : '/message/content/text';
    for (const [k, piece] of piecesOf(line.text ?? '').entries())
      yield delta(k === 0 ? { p: path, o: 'append', v: piece } : { v: piece });
    if (!isWhole(line, script, i)) continue;
    const changes = [
      { p: '/message/status', o: 'replace', v: 'finished_successfully' },
      { p: '/message/end_turn', o: 'replace', v: line.endTurn ?? null },
      {
        p: '/message/metadata',
        o: 'append',
        v: {
          ...line.metadata,
          ...(line.finish ? { finish_details: { type: line.finish }, is_complete: true } : {}),
        },
      },
    ];
    yield delta({ p: '', o: 'patch', v: changes });
  }
  if (script.ends === 'error')
    yield delta({ p: '/error', o: 'replace', v: 'Something went wrong while generating the response.' });
  if (script.ends === 'background') yield typed('conversation_async_status', { async_status: 3 });
  if (script.ends === 'handoff')
    yield typed('stream_handoff', { options: [{ type: 'resume_sse_endpoint' }] });
  if (script.ends === 'cut') return;
  yield typed('message_stream_complete') + typed('title_generation', { title: 'About water' });
  yield 'data: [DONE]\n\n';
}

/** The token that resumes the stream of a conversation. */
export function resumeToken(conversationId: string): string {
  return `resume-${conversationId}`;
}

/** The messages of the request as they come back: finished, and of no type. */
function sentBack({ sent = [] }: TurnHead): Message[] {
  return sent.map((message) => ({
    ...message,
    status: 'finished_successfully',
    end_turn: null,
    weight: 1,
    metadata: { ...(message.metadata as object | undefined), message_type: null },
    recipient: 'all',
  }));
}

function isWhole(line: Line, script: Script, index: number): boolean {
  return !(
    script.ends &&
    script.ends !== 'background' &&
    index === script.lines.length - 1 &&
    line.role === 'assistant'
  );
}

/** A line as a message of the service. */
export function messageOf(line: Line, head: TurnHead, id: string, text: string, finished: boolean): Message {
  const type = line.type ?? 'text';
  const holds = type === 'text' || type === 'multimodal_text' ? { parts: [text] } : { text };
  return {
    id,
    author: { role: line.role, name: line.name ?? null, metadata: {} },
    create_time: 1_702_630_416.5,
    update_time: null,
    content: {
      content_type: type,
      ...(type === 'code' ? { language: 'unknown' } : {}),
      ...holds,
      ...line.content,
    },
    status: finished ? 'finished_successfully' : 'in_progress',
    end_turn: finished ? (line.endTurn ?? null) : null,
    weight: 1,
    metadata: {
      message_type: 'next',
      model_slug: head.model,
      ...(finished ? line.metadata : {}),
      ...(finished && line.finish ? { finish_details: { type: line.finish } } : {}),
    },
    recipient: line.recipient ?? 'all',
    channel: line.channel ?? null,
  };
}

/**
 * A delta's line is padded, as the service's is: with two line ends it is a multiple of eight
 * bytes.
 */
function delta(value: object): string {
  const line = `data: ${ascii(JSON.stringify(value))}`;
  return `event: delta\n${line}${' '.repeat((8 - ((line.length + 2) % 8)) % 8)}\n\n`;
}

function ascii(json: string): string {
  return json.replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
