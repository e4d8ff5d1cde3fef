/**
 * Tests whether a page of another origin may call. A sandboxed frame has the origin `null`, so the
 * browser sends the same preflight for it as for any other page.
 */
export function askAsAnotherOrigin(url: string, headers: Record<string, string>): Promise<boolean> {
  return new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.hidden = true;
    frame.setAttribute('sandbox', 'allow-scripts');
    frame.src = './other-origin';
    const done = (open: boolean): void => {
      clearTimeout(timer);
      removeEventListener('message', hear);
      frame.remove();
      resolve(open);
    };
    const timer = setTimeout(() => done(false), 10_000);
    const hear = ({ source, data }: MessageEvent): void => {
      if (source !== frame.contentWindow) return;
      if (data === 'ready') frame.contentWindow?.postMessage({ url, headers }, '*');
      else done(data === true);
    };
    addEventListener('message', hear);
    document.body.append(frame);
  });
}
