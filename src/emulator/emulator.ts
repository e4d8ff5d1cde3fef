import { createBackend } from './backend/backend.ts';
import { speech, transcription } from './openai/audio.ts';
import { billing } from './openai/billing.ts';
import { chat } from './openai/chat.ts';
import { completions } from './openai/completions.ts';
import { embeddings } from './openai/embeddings.ts';
import { apiError, demandedError } from './openai/errors.ts';
import { createFiles } from './openai/files.ts';
import { editImage, generateImages, servePicture } from './openai/images.ts';
import { listModels, retrieveModel } from './openai/models.ts';
import { moderations } from './openai/moderations.ts';
import { responses } from './openai/responses.ts';

export type EmulatorOptions = {
  /** Milliseconds before the first piece of an answer, and between two pieces; a request's `x-emulator-*` headers go before them. */
  readonly firstDelayMs?: number;
  readonly chunkDelayMs?: number;
  /** Keys that are let in; any, or none, where this is left out. */
  readonly keys?: readonly string[];
};

/** How fast a request is to be answered, in milliseconds. */
export type Pace = { readonly first: number; readonly between: number };

/** What an endpoint is given of a request. */
export type Asked = {
  readonly request: Request;
  readonly url: URL;
  readonly pace: Pace;
  /** A number that no other answer of this emulator has. */
  readonly serial: number;
};

type Endpoint = (asked: Asked) => Response | Promise<Response>;

/**
 * An offline stand-in for an OpenAI-compatible upstream: the answers are a function of what is asked, the shapes those of the real API.
 * It is what a gateway without configuration talks to, and what the tests use.
 */
export function createEmulator(options: EmulatorOptions = {}): {
  fetch(request: Request): Promise<Response>;
} {
  const files = createFiles();
  let serial = 0;

  const endpoints: readonly (readonly [method: string, path: RegExp, answer: Endpoint])[] = [
    ['POST', /^\/v1\/chat\/completions$/, chat],
    ['POST', /^\/v1\/responses$/, responses],
    ['POST', /^\/v1\/completions$/, completions],
    ['POST', /^\/v1\/embeddings$/, embeddings],
    ['POST', /^\/v1\/moderations$/, moderations],
    ['POST', /^\/v1\/images\/generations$/, generateImages],
    ['POST', /^\/v1\/images\/(edits|variations)$/, editImage],
    ['POST', /^\/v1\/audio\/speech$/, speech],
    ['POST', /^\/v1\/audio\/(transcriptions|translations)$/, transcription],
    ['GET', /^\/v1\/models$/, listModels],
    ['GET', /^\/v1\/models\/[^/]+$/, retrieveModel],
    ['POST', /^\/v1\/files$/, files.upload],
    ['GET', /^\/v1\/files$/, files.list],
    ['GET', /^\/v1\/files\/[^/]+$/, files.retrieve],
    ['GET', /^\/v1\/files\/[^/]+\/content$/, files.content],
    ['DELETE', /^\/v1\/files\/[^/]+$/, files.remove],
    ['GET', /^(\/v1)?\/dashboard\/billing\/[a-z_]+$/, billing],
    ...createBackend().endpoints,
    ['GET', /^\/emulator\/pictures\/[\w-]+\.png$/, servePicture],
  ];

  const answer = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const keyed = admitted(request, options.keys);
    if (keyed) return keyed;
    const demanded = demandedError(request.headers.get('x-emulator-error'));
    if (demanded) return demanded;
    const atPath = endpoints.filter(([, path]) => path.test(url.pathname));
    const found = atPath.find(
      ([method]) => method === request.method || (method === 'GET' && request.method === 'HEAD'),
    );
    if (found) return found[2]({ request, url, pace: paceOf(request, options), serial: serial++ });
    if (atPath.length > 0)
      return apiError(405, `Not allowed to ${request.method} on ${url.pathname}.`, {
        code: 'method_not_allowed',
      });
    return apiError(404, `Invalid URL (${request.method} ${url.pathname})`, { code: 'not_found' });
  };

  return {
    async fetch(request) {
      try {
        const response = await answer(request);
        response.headers.set('x-request-id', `req_emulator_${serial}`);
        response.headers.set('openai-processing-ms', '1');
        return response;
      } catch (error) {
        if (error instanceof Response) return error;
        throw error;
      }
    },
  };
}

function admitted(request: Request, keys: readonly string[] | undefined): Response | null {
  const key = request.headers.get('authorization')?.replace(/^Bearer /, '');
  if (!keys || (key !== undefined && keys.includes(key))) return null;
  return apiError(401, 'Incorrect API key provided.', { code: 'invalid_api_key' });
}

function paceOf(request: Request, options: EmulatorOptions): Pace {
  const header = (name: string, otherwise: number) =>
    Math.min(Number(request.headers.get(name) ?? otherwise) || 0, 60_000);
  return {
    first: header('x-emulator-first-delay-ms', options.firstDelayMs ?? 0),
    between: header('x-emulator-delay-ms', options.chunkDelayMs ?? 0),
  };
}
