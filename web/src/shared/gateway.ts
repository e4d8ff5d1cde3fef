/** The address of this gateway: the folder of the page, without a slash at the end. */
export const root = new URL('.', location.href).href.replace(/\/$/, '');

/** Headers with the keys: the caller's own, and the access key of the gateway if it has one. */
export function keyHeaders(key: string, accessKey: string): Record<string, string> {
  return {
    ...(key ? { 'x-openai-key': key } : {}),
    ...(accessKey ? { authorization: `Bearer ${accessKey}` } : {}),
  };
}
