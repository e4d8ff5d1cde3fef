import type { Call } from '../call.ts';
import { linkStem } from '../http/public-url.ts';
import { json } from '../reply.ts';

type Schema = Readonly<Record<string, unknown>>;

const reference = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const content = (schema: Schema, type = 'application/json') => ({ [type]: { schema } });
const answer = (description: string, more: Schema = {}) => ({ description, ...more });
const failed = {
  default: answer('An error, in the shape of the OpenAI API.', { content: content(reference('Error')) }),
};
const text = { type: 'string' };
const page = (summary: string) => ({
  get: {
    summary,
    security: [],
    responses: { 200: answer('The page.', { content: content(text, 'text/html') }) },
  },
});
const health = (summary: string, more: Schema = {}) => ({
  get: { summary, security: [], responses: { 200: answer('OK.'), ...more } },
});
const stored = (summary: string) => ({
  parameters: [{ name: 'name', in: 'path', required: true, schema: text }],
  get: {
    summary,
    security: [],
    responses: {
      200: answer('The file, with type, length and ETag. Ranges are supported.'),
      206: answer('A range of the file.'),
      404: answer('There is no such file.'),
    },
  },
});

/**
 * Paths of the OpenAI API. Its own description has the details; here is what this gateway does with
 * them.
 */
const apiPaths = {
  '/v1/chat/completions': {
    post: {
      summary: 'A chat completion, relayed or converted. The model decides which upstream answers.',
      requestBody: { required: true, content: content(reference('ChatRequest')) },
      responses: {
        200: answer('A completion. With "stream": true, chunks as server-sent events that end with [DONE].', {
          content: { ...content({ type: 'object' }), ...content(text, 'text/event-stream') },
        }),
        ...failed,
      },
    },
  },
  '/v1/images/generations': {
    post: {
      summary: 'Pictures, relayed or drawn in a conversation.',
      requestBody: { required: true, content: content(reference('ImageRequest')) },
      responses: { 200: answer('Links or base64.', { content: content({ type: 'object' }) }), ...failed },
    },
  },
  '/v1/models': {
    get: {
      summary: 'The models of all upstreams.',
      responses: { 200: answer('A list.', { content: content(reference('ModelList')) }), ...failed },
    },
  },
  '/v1/{path}': {
    parameters: [{ name: 'path', in: 'path', required: true, schema: text }],
    ...Object.fromEntries(
      ['get', 'post', 'put', 'patch', 'delete'].map((method) => [
        method,
        {
          summary: 'Any other path of the OpenAI API, relayed to the upstream byte for byte. WebSockets too.',
          responses: { default: answer("The upstream's own answer.") },
        },
      ]),
    ),
  },
  '/dashboard/{path}': {
    parameters: [{ name: 'path', in: 'path', required: true, schema: text }],
    get: {
      summary: 'Billing data of the upstream.',
      responses: { default: answer("The upstream's own answer.") },
    },
  },
};

const ownPaths = {
  '/': {
    post: {
      summary:
        'A chat completion with defaults: gpt-3.5-turbo, temperature 0.7, max_tokens 1000, not streamed.',
      requestBody: { required: true, content: content(reference('ChatRequest')) },
      responses: { 200: answer('A completion.', { content: content({ type: 'object' }) }), ...failed },
    },
    ...page('The start page.'),
  },
  '/image/upload': {
    put: {
      summary: 'Stores a picture and returns its link as plain text.',
      requestBody: { required: true, content: content({ type: 'string', format: 'binary' }, 'image/*') },
      responses: { 200: answer('The link.', { content: content(text, 'text/plain') }), ...failed },
    },
  },
  '/images/{name}': stored('A stored picture.'),
  '/files/{name}': stored('A stored file.'),
  '/balance': page('Balances of keys.'),
  '/play': page('A playground.'),
  '/doctor': page('Tests the connection from the browser to the gateway.'),
  '/doctor/stream': {
    get: {
      summary: 'A stream of known rhythm. It shows whether a proxy buffers or cuts streams.',
      parameters: [{ name: 'silence', in: 'query', schema: { type: 'integer', minimum: 0, maximum: 120 } }],
      responses: { 200: answer('Events.', { content: content(text, 'text/event-stream') }), ...failed },
    },
  },
  '/livez': health('Whether the process runs.'),
  '/health': health('The same.'),
  '/readyz': health('Whether new requests are accepted.', {
    503: answer('It is shutting down, or every upstream is cooling down.'),
  }),
  '/metrics': {
    get: {
      summary: 'Metrics in the format of Prometheus, if METRICS_KEY is set.',
      responses: { 200: answer('The metrics.', { content: content(text, 'text/plain') }), ...failed },
    },
  },
};

/** `GET /openapi.json`: the API of this gateway, for generators of clients. */
export function createOpenApi(publicUrl: string | undefined) {
  return (call: Call): Response =>
    json(openApi(linkStem(call.incoming, publicUrl)), 200, { 'cache-control': 'no-store' });
}

/** The description, with the address that the caller used. A secret prefix is not in it. */
export function openApi(stem: string): Schema {
  return {
    openapi: '3.1.0',
    info: {
      title: 'sluice',
      version: '1',
      description:
        'A gateway for programs that use the OpenAI API. Errors always have the shape of that API.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: stem }],
    security: [{ bearer: [] }, { apiKey: [] }],
    paths: { ...apiPaths, ...ownPaths },
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
      },
      schemas: {
        ChatRequest: {
          type: 'object',
          required: ['messages'],
          properties: {
            model: text,
            messages: { type: 'array', items: { type: 'object', additionalProperties: true } },
            stream: { type: 'boolean' },
          },
          additionalProperties: true,
        },
        ImageRequest: {
          type: 'object',
          required: ['prompt'],
          properties: {
            prompt: text,
            model: text,
            n: { type: 'integer', minimum: 1 },
            response_format: { enum: ['url', 'b64_json'] },
          },
          additionalProperties: true,
        },
        ModelList: {
          type: 'object',
          properties: {
            object: { const: 'list' },
            data: { type: 'array', items: { type: 'object', properties: { id: text, owned_by: text } } },
          },
        },
        Error: {
          type: 'object',
          required: ['error'],
          properties: {
            error: {
              type: 'object',
              required: ['message', 'type', 'param', 'code'],
              properties: {
                message: text,
                type: text,
                param: { type: ['string', 'null'] },
                code: { type: ['string', 'null'] },
              },
            },
          },
        },
      },
    },
  };
}
