import type { Call } from './call.ts';
import { Failure } from './http/failure.ts';
import { isStored, type Place } from './http/request-target.ts';
import type { Reply } from './reply.ts';

/**
 * Who may use a route. `public`: everyone, from any page. `caller`: who passes the origin rules and
 * the key check. `metrics`: who holds METRICS_KEY.
 */
export type Guard = 'public' | 'caller' | 'metrics';

/** What is answered at one path. */
export type Route = {
  readonly name: string;
  readonly guard: Guard;
  /**
   * Pages of any origin may read the response, whatever the settings say: the path itself is the
   * secret.
   */
  readonly anyOrigin?: true;
  answer(call: Call): Reply | Promise<Reply>;
};

/** The routes of one path, by method. */
export type Methods = Readonly<Record<string, Route>>;

/** The routes, in the three forms that a path can have. */
export type RouteTable = {
  /** Paths of our own, outside the API. */
  readonly local: ReadonlyMap<string, Methods>;
  /** Stored pictures and files. */
  readonly stored: Route;
  /** Scripts and styles of the pages. */
  readonly asset: Route;
  /** `/v1/models`; other methods are relayed. */
  readonly models: Methods;
  readonly model: Route;
  /** Every other path of the API. */
  readonly api: Route;
  readonly dashboard: Route;
};

/**
 * Finds the route of a request. Throws a 404 if the path is none of ours, a 405 if it does not take
 * the method.
 */
export function findRoute(table: RouteTable, place: Place, method: string, apiPrefix: string): Route {
  if (place.kind === 'api') return apiRoute(table, place.path, method);
  const isRead = method === 'GET' || method === 'HEAD';
  if (place.kind === 'local' && isRead && isStored(place.path)) return table.stored;
  if (place.kind === 'local' && isRead && place.path.startsWith('/assets/')) return table.asset;
  const methods = place.kind === 'local' ? table.local.get(place.path) : undefined;
  if (!methods) {
    const prefix = apiPrefix ? 'the API prefix of this gateway, then ' : '';
    throw new Failure(
      'not_found',
      `There is nothing at this path. The API is under ${prefix}/v1: try GET /v1/models.`,
    );
  }
  const route = methods[method];
  if (!route) throw notAllowed(method, Object.keys(methods).join(', '));
  return route;
}

function apiRoute(table: RouteTable, path: string, method: string): Route {
  if (method === 'TRACE' || method === 'CONNECT') throw notAllowed(method, 'GET, POST, PUT, PATCH, DELETE');
  if (path === '/v1/models' || path === '/v1/models/') return table.models[method] ?? table.api;
  if (path.startsWith('/v1/models/') && method === 'GET') return table.model;
  return path.startsWith('/v1/') ? table.api : table.dashboard;
}

/** The same route for GET and HEAD. */
export function readOnly(route: Route): Methods {
  return { GET: route, HEAD: route };
}

function notAllowed(method: string, allow: string): Failure {
  return new Failure('method_not_allowed', `${method} is not possible here. This path takes ${allow}.`, {
    headers: { allow },
  });
}
