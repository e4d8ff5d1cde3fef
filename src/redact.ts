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
  return out.replace(keyShapes, '[redacted]');
}
