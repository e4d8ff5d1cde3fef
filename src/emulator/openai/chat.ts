import type { Asked } from '../emulator.ts';
import { apiError, demandedError, isList, isText, readObject, required } from './errors.ts';
import { instanceOf } from './json-schema.ts';
import { answerTo, lastSaid, piecesOf, tokensOf } from './said.ts';
import { dataLine, eventStream, sleep } from './stream.ts';

/** One choice of an answer. */
export type Turn = {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly finish: 'stop' | 'length' | 'tool_calls' | 'function_call';
};

export type ToolCall = { readonly id: string; readonly name: string; readonly arguments: string };

type Head = { id: string; created: number; model: string };

/** `POST /v1/chat/completions`, streamed or whole. */
export async function chat({ request, pace, id, created }: Asked): Promise<Response> {
  const body = await readObject(request);
  const model = required(body, 'model', isText);
  const messages = required(body, 'messages', isList);
  const demanded = demandedError(model);
  if (demanded) return demanded;
  const count = typeof body.n === 'number' ? body.n : 1;
  if (!Number.isInteger(count) || count < 1 || count > 16)
    return apiError(400, "Invalid 'n': must be from 1 to 16.", { param: 'n' });

  const turns = Array.from({ length: count }, (_, i) => turnFor(body, messages, id, i));
  const head: Head = { id: `chatcmpl-${id}`, created, model };
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

/**
 * Decides what to answer: a call if the user names a tool, JSON if JSON is wanted, otherwise text.
 */
export function turnFor(
  body: Record<string, unknown>,
  messages: readonly unknown[],
  id: string,
  index: number,
): Turn {
  const said = lastSaid(messages);
  const calls = said.afterTool === null ? toolCalls(body, said.text, id, index) : [];
  if (calls.length > 0) return { text: '', calls, finish: 'tool_calls' };
  const call = said.afterTool === null ? functionCall(body, said.text, id) : null;
  if (call) return { text: '', calls: [call], finish: 'function_call' };
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

type Tool = { readonly name: string; readonly parameters: unknown };
type Choice = string | { function?: { name?: string }; name?: string } | undefined;

/**
 * Calls the tool that the user's words name, or the one that is forced, or each of them for "use
 * all tools".
 */
function toolCalls(body: Record<string, unknown>, text: string, id: string, index: number): ToolCall[] {
  const tools = (isList(body.tools) ? body.tools : []).flatMap(functionTool);
  return chosen(tools, body.tool_choice as Choice, text).map((tool, i) => ({
    id: `call_${id}${index}${i}`,
    name: tool.name,
    arguments: JSON.stringify(instanceOf(tool.parameters, text)),
  }));
}

/**
 * The same for `functions` and `function_call`, which older clients send. One function is called at
 * most.
 */
function functionCall(body: Record<string, unknown>, text: string, id: string): ToolCall | null {
  const tools = (isList(body.functions) ? body.functions : []).flatMap((each) =>
    functionTool({ type: 'function', function: each }),
  );
  const [tool] = chosen(tools, body.function_call as Choice, text);
  if (!tool) return null;
  return { id, name: tool.name, arguments: JSON.stringify(instanceOf(tool.parameters, text)) };
}

/**
 * A tool that is a function with a name. Built-in tools (web_search, mcp and others) cannot be
 * called by name.
 */
function functionTool(tool: unknown): Tool[] {
  const { type = 'function', function: nested, ...flat } = (tool ?? {}) as Record<string, unknown>;
  const { name, parameters } = (nested ?? flat) as { name?: unknown; parameters?: unknown };
  return type === 'function' && isText(name) && name !== '' ? [{ name, parameters }] : [];
}

function chosen(tools: readonly Tool[], choice: Choice, text: string): readonly Tool[] {
  if (choice === 'none') return [];
  const forced = typeof choice === 'object' ? (choice.function?.name ?? choice.name) : undefined;
  if (forced !== undefined) return tools.filter(({ name }) => name === forced);
  if (choice === 'required') return tools.slice(0, 1);
  if (/\buse all tools\b/i.test(text)) return tools;
  return tools.filter(({ name }) => text.includes(name));
}

function messageOf(turn: Turn): Record<string, unknown> {
  const [first] = turn.calls;
  if (!first) return { role: 'assistant', content: turn.text, refusal: null, annotations: [] };
  if (turn.finish === 'function_call') {
    const call = { name: first.name, arguments: first.arguments };
    return { role: 'assistant', content: null, refusal: null, function_call: call };
  }
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
    const isOld = turn.finish === 'function_call';
    for (const [i, call] of turn.calls.entries()) {
      const opening = { name: call.name, arguments: '' };
      yield chunk(
        index,
        isOld
          ? { function_call: opening }
          : { tool_calls: [{ index: i, id: call.id, type: 'function', function: opening }] },
      );
      for (const piece of call.arguments.match(/.{1,7}/gsu) ?? []) {
        const more = { arguments: piece };
        yield chunk(index, isOld ? { function_call: more } : { tool_calls: [{ index: i, function: more }] });
      }
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
