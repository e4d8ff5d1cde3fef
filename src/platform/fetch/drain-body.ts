import type { Incoming } from '../../http/request.ts';

/** A refused upload is read and thrown away for so many milliseconds and bytes, and no longer. */
const maxMs = 10_000;
const maxBytes = 32 * 1024 * 1024;

/**
 * Reads what is left of a request body that nothing has read, for a while. If the connection closed
 * while the client still writes, its write would fail and it would never see the response.
 */
export async function drainBody(incoming: Incoming): Promise<void> {
  const stream = incoming.hasBody ? incoming.stream() : null;
  if (stream === null || stream.locked) return;
  const reader = stream.getReader();
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), maxMs);
  try {
    for (let left = maxBytes; left > 0; ) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.length;
    }
    await reader.cancel();
  } catch {
    // The client has left.
  } finally {
    clearTimeout(timer);
  }
}
