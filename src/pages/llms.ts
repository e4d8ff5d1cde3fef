import type { Call } from '../call.ts';
import { linkStem } from '../http/public-url.ts';

/** `GET /llms.txt`: how a program that reads rather than looks uses this gateway. */
export function createLlmsText(publicUrl: string | undefined) {
  return (call: Call): Response => {
    const stem = linkStem(call.incoming, publicUrl);
    return new Response(
      `# sluice

> A gateway for programs that speak the OpenAI API. Use any OpenAI SDK with the base URL ${stem}/v1 (its owner may have put a prefix before /v1).

- Keys go in \`Authorization: Bearer\`, \`x-api-key\` or \`api-key\`: an access key of this gateway where it asks for one, else your own key for its upstream.
- \`GET ${stem}/v1/models\` lists what can be asked for. \`POST ${stem}/v1/chat/completions\` streams with \`"stream": true\`.
- Errors are \`{"error": {"message", "type", "param", "code"}}\`; the message says what to do next. 429 and 503 carry \`Retry-After\`.
- A stream that breaks ends with a \`data: {"error": ...}\` line and without \`[DONE]\`.

## More

- [The surface as OpenAPI](${stem}/openapi.json)
- [What is wrong between you and it](${stem}/doctor)
`,
      { headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' } },
    );
  };
}
