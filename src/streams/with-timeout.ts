/** What a promise gives, unless it takes longer than some seconds (0 for any time); then it throws what `late` makes. */
export async function withTimeout<T>(work: Promise<T>, seconds: number, late: () => Error): Promise<T> {
  if (seconds <= 0) return work;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), seconds * 1000);
  });
  try {
    return await Promise.race([work, patience]);
  } finally {
    clearTimeout(timer);
  }
}
