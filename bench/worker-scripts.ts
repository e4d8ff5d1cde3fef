/** The least that a Worker can do: another host. The runtime hands the body on. */
export const passthrough = `export default { fetch(request, env) {
  const url = new URL(request.url);
  return fetch(new Request(env.UPSTREAM + url.pathname + url.search, request));
} };`;

/**
 * Looks at the first three chunks in JavaScript, then hands the body to the runtime's own pipe.
 * That needs an IdentityTransformStream: `new TransformStream()` pipes in JavaScript.
 */
export const threeReadsThenPipe = `export default { async fetch(request, env, context) {
  const url = new URL(request.url);
  const answer = await fetch(new Request(env.UPSTREAM + url.pathname + url.search, request));
  if (!answer.body) return answer;
  const { readable, writable } = new IdentityTransformStream();
  context.waitUntil((async () => {
    const reader = answer.body.getReader();
    const writer = writable.getWriter();
    for (let i = 0; i < 3; i++) {
      const { done, value } = await reader.read();
      if (done) return writer.close();
      await writer.write(value);
    }
    reader.releaseLock();
    writer.releaseLock();
    await answer.body.pipeTo(writable);
  })());
  return new Response(readable, answer);
} };`;
