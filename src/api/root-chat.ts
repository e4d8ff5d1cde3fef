import { type JsonBody, withFields } from '../body.ts';
import type { Call } from '../call.ts';
import { Failure } from '../failure.ts';
import type { Reply } from '../reply.ts';
import { readJson } from './forward.ts';

/** What `POST /` fills in where the caller left it out. */
const defaults = { model: 'gpt-3.5-turbo', temperature: 0.7, max_tokens: 1000, stream: false };

/** `POST /`: a chat completion for callers who send little more than messages. Any JSON body does, whatever its content type. */
export function createRootChat(
  chat: (call: Call, body: JsonBody) => Reply | Promise<Reply>,
  maxBodyBytes: number,
): (call: Call) => Promise<Reply> {
  return async (call) => {
    const body = await readJson(call, maxBodyBytes);
    if (!Array.isArray(body.value.messages)) {
      throw new Failure(
        'invalid_request',
        '"messages" is missing: send {"messages": [{"role": "user", "content": "Hello"}]}.',
        {
          param: 'messages',
        },
      );
    }
    const missing = Object.fromEntries(
      Object.entries(defaults).filter(([name]) => body.value[name] === undefined),
    );
    return chat({ ...call, path: '/v1/chat/completions' }, withFields(body, missing));
  };
}
