import type { Call } from '../call.ts';
import { Failure } from '../http/failure.ts';
import { type JsonBody, parseJsonBody, withFields } from '../http/json-body.ts';
import type { Reply } from '../reply.ts';

/** Defaults of `POST /`. */
const chatDefaults = { model: 'gpt-3.5-turbo', temperature: 0.7, max_tokens: 1000, stream: false };
const imageDefaults = { model: 'dall-e-3', n: 1, size: '1024x1024' };

/**
 * `POST /`: a chat completion for clients that send little more than messages. It draws pictures,
 * as openai-workers-proxy did, if the body says `"action": "generate-image"` or has a prompt
 * instead of messages. The content type does not matter.
 */
export function createRootChat(
  forward: (call: Call, body: JsonBody) => Reply | Promise<Reply>,
  readBody: (call: Call) => Promise<JsonBody>,
): (call: Call) => Promise<Reply> {
  return async (call) => {
    const body = await readBody(call);
    const { action, messages, prompt } = body.value;
    if (typeof prompt === 'string' && (action === 'generate-image' || messages === undefined))
      return forward(
        { ...call, path: '/v1/images/generations' },
        withDefaults(withoutAction(body), imageDefaults),
      );
    if (!Array.isArray(messages)) {
      throw new Failure(
        'invalid_request',
        '"messages" is missing: send {"messages": [{"role": "user", "content": "Hello"}]}.',
        { param: 'messages' },
      );
    }
    return forward({ ...call, path: '/v1/chat/completions' }, withDefaults(body, chatDefaults));
  };
}

function withDefaults(body: JsonBody, defaults: Readonly<Record<string, unknown>>): JsonBody {
  return withFields(
    body,
    Object.fromEntries(Object.entries(defaults).filter(([name]) => body.value[name] === undefined)),
  );
}

/** The body without `action`, which no upstream knows. */
function withoutAction(body: JsonBody): JsonBody {
  if (body.value.action === undefined) return body;
  const { action: _, ...rest } = body.value;
  return parseJsonBody(new TextEncoder().encode(JSON.stringify(rest)));
}
