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
  /**
   * Milliseconds before the first chunk, and between two chunks. A request's `x-emulator-*` headers
   * win.
   */
  readonly firstDelayMs?: number;
  readonly chunkDelayMs?: number;
  /** Keys that are accepted. Default: any, and none is needed. */
  readonly keys?: readonly string[];
  /** The time in milliseconds, and random hex digits for ids. Tests give their own. */
  readonly now?: () => number;
  readonly newId?: () => string;
};

/** The pace of an answer, in milliseconds. */
export type Pace = { readonly first: number; readonly between: number };

/** A request as an endpoint gets it. */
export type Asked = {
  readonly request: Request;
  readonly url: URL;
  readonly pace: Pace;
  /** The number of the request, and an id that no other one has. */
  readonly serial: number;
  readonly id: string;
  /** The time in seconds. */
  readonly created: number;
};

type Endpoint = (asked: Asked) => Response | Promise<Response>;

/**
 * An offline stand-in for an OpenAI-compatible upstream: it echoes what is asked, in the shapes of
 * the real API. A gateway without configuration uses it, and so do the tests.
 */
export function createEmulator(options: EmulatorOptions = {}): {
  fetch(request: Request): Promise<Response>;
} {
  const files = createFiles();
  const { now = Date.now, newId = randomId } = options;
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
    ['GET', /^(\/v1)?\/emulator\/pictures\/[\w-]+\.png$/, servePicture],
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
    if (found) {
      const about = { serial: serial++, id: newId(), created: Math.floor(now() / 1000) };
      return found[2]({ request, url, pace: paceOf(request, options), ...about });
    }
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
        response.headers.set('x-request-id', `req_emulator_${serial}_${newId().slice(0, 12)}`);
        response.headers.set('openai-processing-ms', '1');
        return response;
      } catch (error) {
        if (error instanceof Response) return error;
        throw error;
      }
    },
  };
}

/** 96 random bits in hex: no two requests share an id, also after a restart. */
function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
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
