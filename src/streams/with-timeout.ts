/**
 * The value of a promise. If it takes longer than `seconds` (0 for no limit), throws what `late`
 * makes.
 */
export async function withTimeout<T>(work: Promise<T>, seconds: number, late: () => Error): Promise<T> {
  if (seconds <= 0) return work;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), seconds * 1000);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
