/** The message of an error response, in any of its shapes. */
export function messageOf(status: number, body: unknown): string {
  const { error } = (body ?? {}) as { error?: unknown };
  const { message } = (typeof error === 'object' && error ? error : (body ?? {})) as { message?: unknown };
  if (typeof message === 'string' && message !== '') return message;
  return typeof error === 'string' ? error : `HTTP ${status}`;
}
