import type { Segment } from '../../../segments/segment.ts';
import { isFinished, type Message } from '../decode/message.ts';

/** The notice that a GPT's action needs a sign-in, once for each message that says so. */
export function signInNotice(message: Message, known: Set<string>): Segment[] {
  const request = message.metadata?.jit_plugin_data?.from_server;
  const id = message.id ?? '';
  if (request?.type !== 'oauth_required' || !isFinished(message) || known.has(id)) return [];
  known.add(id);
  const site = typeof request.body?.domain === 'string' ? request.body.domain.slice(0, 200) : 'a site';
  return [{ kind: 'notice', text: `this GPT needs you to sign in at ${site} first, in the web app.` }];
}
