/** Where this gateway is, as the page was reached: the folder that the page is in. Without a slash at the end. */
export const root = new URL('.', location.href).href.replace(/\/$/, '');

/** Headers that carry keys to the gateway: the caller's own, and the gateway's access key where it asks for one. */
export function keyHeaders(key: string, accessKey: string): Record<string, string> {
  return {
    ...(key ? { 'x-openai-key': key } : {}),
    ...(accessKey ? { authorization: `Bearer ${accessKey}` } : {}),
  };
}
