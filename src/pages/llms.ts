import type { Call } from '../call.ts';
import { linkStem } from '../http/public-url.ts';

/** `GET /llms.txt`: how to use this gateway, for language models. */
export function createLlmsText(publicUrl: string | undefined) {
  return (call: Call): Response => {
    const stem = linkStem(call.incoming, publicUrl);
    return new Response(
      `# sluice

> A gateway for programs that use the OpenAI API. Use any OpenAI SDK with the base URL ${stem}/v1. If its owner set an API prefix, it comes before /v1.

- Send a key in \`Authorization: Bearer\`, \`x-api-key\` or \`api-key\`: an access key of this gateway if it has some, otherwise your own key for its upstream.
- \`GET ${stem}/v1/models\` lists the models. \`POST ${stem}/v1/chat/completions\` streams with \`"stream": true\`.
- Errors are \`{"error": {"message", "type", "param", "code"}}\`. The message says what to do next. 429 and 503 have \`Retry-After\`.
- A stream that breaks ends with a \`data: {"error": ...}\` line and without \`[DONE]\`.

## More

- [The API as OpenAPI](${stem}/openapi.json)
- [Test the connection to this gateway](${stem}/doctor)
`,
      { headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' } },
    );
  };
}
