import type { Asked } from '../emulator.ts';
import { apiError, demandedError, isList, isText, readObject, required } from './errors.ts';
import { instanceOf } from './json-schema.ts';
import { answerTo, lastSaid, piecesOf, tokensOf } from './said.ts';
import { dataLine, eventStream, sleep } from './stream.ts';

/** What one choice of an answer says. */
export type Turn = {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly finish: 'stop' | 'length' | 'tool_calls';
};

export type ToolCall = { readonly id: string; readonly name: string; readonly arguments: string };

type Head = { id: string; created: number; model: string };

/** `POST /v1/chat/completions`, streamed or whole. */
export async function chat({ request, pace, serial }: Asked): Promise<Response> {
  const body = await readObject(request);
  const model = required(body, 'model', isText);
  const messages = required(body, 'messages', isList);
  const demanded = demandedError(model);
  if (demanded) return demanded;
  const count = typeof body.n === 'number' ? body.n : 1;
  if (!Number.isInteger(count) || count < 1 || count > 16)
    return apiError(400, "Invalid 'n': must be from 1 to 16.", { param: 'n' });

  const turns = Array.from({ length: count }, (_, i) => turnFor(body, messages, serial, i));
  const head: Head = { id: `chatcmpl-emulator-${serial}`, created: 1_700_000_000 + serial, model };
  const usage = usageOf(JSON.stringify(messages), turns);
  if (body.stream === true) {
    const wanted = (body.stream_options as { include_usage?: unknown } | undefined)?.include_usage === true;
    return eventStream(
      chunks(head, turns, wanted ? usage : null, lastSaid(messages).text === 'break off'),
      pace,
    );
  }
  if (pace.first > 0) await sleep(pace.first, request.signal);
  return Response.json({
    ...head,
    object: 'chat.completion',
    choices: turns.map((turn, index) => ({
      index,
      message: messageOf(turn),
      logprobs: null,
      finish_reason: turn.finish,
    })),
    usage,
    system_fingerprint: 'fp_emulator',
  });
}

/** Decides what to say: a tool call where tools are offered and asked for, JSON where JSON is wanted, else words. */
export function turnFor(
  body: Record<string, unknown>,
  messages: readonly unknown[],
  serial: number,
  index: number,
): Turn {
  const said = lastSaid(messages);
  const calls = said.afterTool === null ? toolCalls(body, said.text, serial, index) : [];
  if (calls.length > 0) return { text: '', calls, finish: 'tool_calls' };
  const format = body.response_format as { type?: unknown; json_schema?: { schema?: unknown } } | undefined;
  let text = answerTo(said);
  if (format?.type === 'json_object') text = JSON.stringify({ answer: text });
  if (format?.type === 'json_schema') text = JSON.stringify(instanceOf(format.json_schema?.schema, text));
  return { ...cut(text, body), calls: [] };
}

function cut(text: string, body: Record<string, unknown>): { text: string; finish: 'stop' | 'length' } {
  const stops = (isList(body.stop) ? body.stop : [body.stop]).filter(isText);
  const ends = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  const stopped = ends.length > 0 ? text.slice(0, Math.min(...ends)) : text;
  const limit = Number(body.max_completion_tokens ?? body.max_tokens ?? Number.POSITIVE_INFINITY);
  if (tokensOf(stopped) <= limit) return { text: stopped, finish: 'stop' };
  return { text: piecesOf(stopped).slice(0, limit).join(''), finish: 'length' };
}

/** Calls the tool that the user's words name, or the one that is forced, or each of them for "all". */
function toolCalls(body: Record<string, unknown>, text: string, serial: number, index: number): ToolCall[] {
  const tools = (isList(body.tools) ? body.tools : []) as {
    name?: string;
    function?: { name?: string; parameters?: unknown };
  }[];
  const choice = body.tool_choice as string | { function?: { name?: string }; name?: string } | undefined;
  if (choice === 'none') return [];
  const forced = typeof choice === 'object' ? (choice.function?.name ?? choice.name) : undefined;
  const named = tools.filter((tool) => {
    const name = tool.function?.name ?? tool.name ?? '';
    return forced
      ? name === forced
      : /\buse all tools\b/i.test(text) || text.includes(name) || choice === 'required';
  });
  const chosen = choice === 'required' ? named.slice(0, 1) : named;
  return chosen.map((tool, i) => ({
    id: `call_${serial}_${index}_${i}`,
    name: tool.function?.name ?? tool.name ?? '',
    arguments: JSON.stringify(
      instanceOf(tool.function?.parameters ?? (tool as { parameters?: unknown }).parameters, text),
    ),
  }));
}

function messageOf(turn: Turn): Record<string, unknown> {
  if (turn.calls.length === 0)
    return { role: 'assistant', content: turn.text, refusal: null, annotations: [] };
  const calls = turn.calls.map(({ id, name, arguments: args }) => ({
    id,
    type: 'function',
    function: { name, arguments: args },
  }));
  return { role: 'assistant', content: null, refusal: null, tool_calls: calls };
}

function* chunks(head: Head, turns: readonly Turn[], usage: unknown, breakOff: boolean): Generator<string> {
  const chunk = (index: number, delta: unknown, finish: string | null = null) =>
    dataLine({
      ...head,
      object: 'chat.completion.chunk',
      system_fingerprint: 'fp_emulator',
      choices: [{ index, delta, logprobs: null, finish_reason: finish }],
      ...(usage ? { usage: null } : {}),
    });
  for (const [index, turn] of turns.entries()) {
    yield chunk(index, { role: 'assistant', content: turn.calls.length > 0 ? null : '', refusal: null });
    for (const piece of piecesOf(turn.text)) yield chunk(index, { content: piece });
    for (const [i, call] of turn.calls.entries()) {
      yield chunk(index, {
        tool_calls: [
          { index: i, id: call.id, type: 'function', function: { name: call.name, arguments: '' } },
        ],
      });
      for (const piece of call.arguments.match(/.{1,7}/gsu) ?? [])
        yield chunk(index, { tool_calls: [{ index: i, function: { arguments: piece } }] });
    }
    if (breakOff) {
      yield dataLine({
        error: {
          message: 'The server had an error while processing your request.',
          type: 'server_error',
          param: null,
          code: null,
        },
      });
      return;
    }
    yield chunk(index, {}, turn.finish);
  }
  if (usage) yield dataLine({ ...head, object: 'chat.completion.chunk', choices: [], usage });
  yield 'data: [DONE]\n\n';
}

/** Usage as the API reports it. */
function usageOf(prompt: string, turns: readonly Turn[]): Record<string, number> {
  const completion = turns.reduce(
    (sum, turn) => sum + tokensOf(turn.text + turn.calls.map((call) => call.arguments).join('')),
    0,
  );
  const asked = tokensOf(prompt);
  return { prompt_tokens: asked, completion_tokens: completion, total_tokens: asked + completion };
}
