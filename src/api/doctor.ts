import type { Call } from '../call.ts';
import { Failure } from '../http/failure.ts';
import { linkStem } from '../http/public-url.ts';
import { sleep } from '../streams/sleep.ts';

const ticks = 12;
const gapMs = 100;
const maxSilenceSeconds = 120;

/**
 * `GET /doctor/stream?silence=SECONDS`: a stream of known rhythm. It shows a caller what the
 * proxies on the way do to streams. The first event holds the gateway's own address. Silence has no
 * comments.
 */
export function createDoctorStream(publicUrl: string | undefined) {
  return (call: Call): Response => {
    const silence = Number(new URLSearchParams(call.search).get('silence') ?? 0);
    if (!(silence >= 0 && silence <= maxSilenceSeconds))
      throw new Failure('invalid_request', `silence must be from 0 to ${maxSilenceSeconds} seconds.`, {
        param: 'silence',
      });
    const lines = rhythm(linkStem(call.incoming, publicUrl), silence, call.incoming.signal);
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { done, value } = await lines.next();
          if (done) controller.close();
          else controller.enqueue(encoder.encode(`data: ${value}\n\n`));
        },
        cancel: () => void lines.return(),
      },
      { highWaterMark: 0 },
    );
    return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
  };
}

async function* rhythm(stem: string, silence: number, signal: AbortSignal): AsyncGenerator<string, void> {
  yield JSON.stringify({ gapMs, stem });
  for (let tick = 1; tick <= ticks; tick++) {
    await sleep(gapMs, signal);
    yield JSON.stringify({ tick });
  }
  if (silence > 0) await sleep(silence * 1000, signal);
  yield '[DONE]';
}
