import type { Asked } from '../emulator.ts';
import { turnFor } from './chat.ts';
import { apiError, demandedError, isText, readObject, required } from './errors.ts';
import { piecesOf, tokensOf } from './said.ts';
import { eventStream } from './stream.ts';

/** `POST /v1/responses`, streamed with its own events, or whole. */
export async function responses({ request, pace, id, created }: Asked): Promise<Response> {
  const body = await readObject(request);
  const model = required(body, 'model', isText);
  const demanded = demandedError(model);
  if (demanded) return demanded;
  if (body.input === undefined)
    return apiError(400, "Missing required parameter: 'input'.", { param: 'input' });
  const input =
    typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : (body.input as unknown[]);
  const format = (body.text as { format?: { type?: string; schema?: unknown } } | undefined)?.format;
  const turn = turnFor(
    {
      ...body,
      ...(format?.type === 'json_schema'
        ? { response_format: { type: 'json_schema', json_schema: format } }
        : {}),
      max_tokens: body.max_output_tokens,
    },
    input,
    id,
    0,
  );
  const items =
    turn.calls.length > 0
      ? turn.calls.map((call, i) => ({
          id: `fc_${id}${i}`,
          type: 'function_call',
          status: 'completed',
          call_id: call.id,
          name: call.name,
          arguments: call.arguments,
        }))
      : [
          {
            id: `msg_${id}`,
            type: 'message',
            role: 'assistant',
            status: 'completed',
            content: [{ type: 'output_text', text: turn.text, annotations: [] }],
          },
        ];
  const [asked, told] = [tokensOf(JSON.stringify(input)), tokensOf(turn.text)];
  const response = {
    id: `resp_${id}`,
    object: 'response',
    created_at: created,
    status: 'completed',
    model,
    output: items,
    error: null,
    incomplete_details: null,
    instructions: body.instructions ?? null,
    metadata: body.metadata ?? {},
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: body.tool_choice ?? 'auto',
    tools: body.tools ?? [],
    top_p: 1,
    usage: {
      input_tokens: asked,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: told,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: asked + told,
    },
  };
  return body.stream === true ? eventStream(events(response, items), pace) : Response.json(response);
}

type Item = { id: string; type: string; content?: { text: string }[]; arguments?: string };

function* events(response: Record<string, unknown>, items: readonly Item[]): Generator<string> {
  let sequence = 0;
  const event = (type: string, more: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...more })}\n\n`;
  const begun = { ...response, status: 'in_progress', output: [], usage: null };
  yield event('response.created', { response: begun });
  yield event('response.in_progress', { response: begun });
  for (const [index, item] of items.entries()) {
    const at = { output_index: index, item_id: item.id };
    const text = item.content?.[0]?.text;
    yield event('response.output_item.added', {
      output_index: index,
      item: { ...item, status: 'in_progress', ...(text === undefined ? { arguments: '' } : { content: [] }) },
    });
    if (text === undefined) {
      for (const piece of item.arguments?.match(/.{1,7}/gsu) ?? []) {
        yield event('response.function_call_arguments.delta', { ...at, delta: piece });
      }
      yield event('response.function_call_arguments.done', { ...at, arguments: item.arguments });
    } else {
      const part = { ...at, content_index: 0 };
      yield event('response.content_part.added', {
        ...part,
        part: { type: 'output_text', text: '', annotations: [] },
      });
      for (const piece of piecesOf(text))
        yield event('response.output_text.delta', { ...part, delta: piece, logprobs: [] });
      yield event('response.output_text.done', { ...part, text, logprobs: [] });
      yield event('response.content_part.done', {
        ...part,
        part: { type: 'output_text', text, annotations: [] },
      });
    }
    yield event('response.output_item.done', { output_index: index, item });
  }
  yield event('response.completed', { response });
}
