import { createPeek, peekMs } from '../../relay/peek.ts';

/** Looks at the beginning of a stream; gives the same answer, whole again. */
export async function peekAt(answer: Response): Promise<{ answer: Response; isError: boolean }> {
  if (answer.body === null) return { answer, isError: false };
  const reader = answer.body.getReader();
  const peek = createPeek();
  const until = Date.now() + peekMs;
  let said: ReturnType<typeof peek.push> = 'more';
  let pending: Promise<ReadableStreamReadResult<Uint8Array>> | null = null;
  while (said === 'more' && Date.now() < until) {
    pending ??= reader.read();
    pending.catch(() => {});
    // What breaks here breaks again when it is read on, and is told then.
    const read = await Promise.race([pending, sleep(until - Date.now())]).catch(() => undefined);
    if (read === undefined) break;
    pending = null;
    if (read.done) break;
    said = peek.push(read.value);
  }
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        for (const chunk of peek.take()) controller.enqueue(chunk);
      },
      async pull(controller) {
        const { done, value } = await (pending ?? reader.read());
        pending = null;
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  const { status, statusText, headers } = answer;
  return { answer: new Response(body, { status, statusText, headers }), isError: said === 'error' };
}

function sleep(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), Math.max(ms, 0)));
}
