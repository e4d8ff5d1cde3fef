/** Shapes that keys are known to have, wherever they turn up. */
const keyShapes =
  /\b(?:sk|fk|pk|rk|sess)-[\w-]{8,}|\beyJ[\w-]{8,}\.[\w.-]{8,}|(?<=\bbearer\s+)[^\s"',}]{6,}/gi;

/**
 * Takes every key out of a line that is about to be written: the known secrets by value, others by shape. It stands at
 * the sink, so that no code before it need remember what may be written.
 */
export function redact(line: string, secrets: readonly string[]): string {
  let out = line;
  for (const secret of secrets) {
    if (secret.length >= 4 && out.includes(secret)) out = out.replaceAll(secret, '[redacted]');
  }
  return maybeKey.some((sign) => out.includes(sign)) ? out.replace(keyShapes, '[redacted]') : out;
}

/** What every one of the shapes has in it: most lines have none of them, and are not searched any further. */
const maybeKey = ['k-', 'K-', 'sess-', 'SESS-', 'eyJ', 'earer', 'EARER'];
