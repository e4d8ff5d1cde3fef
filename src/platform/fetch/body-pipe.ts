/** Makes a pipe. On Workers the runtime carries bytes through it without waking the isolate. */
export type CreatePipe = () => ReadableWritablePair<Uint8Array, Uint8Array>;

/**
 * Between the last words of a broken response and the cut, in milliseconds. If both arrived at
 * once, many clients would drop the words unread.
 */
const lastWordsMs = 100;

/** The body of a response: written chunk by chunk at first, then perhaps by the runtime itself. */
export class BodyPipe {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #writable: WritableStream<Uint8Array>;
  #writer: WritableStreamDefaultWriter<Uint8Array> | null;
  #pending: Promise<void> = Promise.resolve();
  /** Resolves when the runtime lets go of the pipe. */
  #taken: Promise<void> = Promise.resolve();
  #open = 0;
  #isOver = false;
  #isDiscarded = false;
  readonly #onClientClosed: () => void;

  constructor({ readable, writable }: ReturnType<CreatePipe>, onClientClosed: () => void) {
    this.readable = readable;
    this.#writable = writable;
    this.#writer = writable.getWriter();
    this.#onClientClosed = onClientClosed;
    this.#writer.closed.catch(() => this.#clientClosed());
  }

  /** Whether something is written that the client has not read yet. */
  get isBlocked(): boolean {
    return this.#open > 0;
  }

  /** Resolves when the client has read what was written. */
  get ready(): Promise<void> {
    return this.#pending;
  }

  write(chunk: Uint8Array): void {
    if (this.#isOver || this.#isDiscarded) return;
    this.#open++;
    // While the runtime carries the body, last words wait until it lets go of the pipe.
    const written = this.#writer?.write(chunk) ?? this.#taken.then(() => this.#writer?.write(chunk));
    this.#pending = written.then(
      () => void this.#open--,
      () => this.#clientClosed(),
    );
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    void this.#taken.then(() => this.#writer?.close()).catch(() => {});
  }

  /** Ends the body as incomplete, once the client has read what was written. */
  abort(reason: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    void this.#taken
      .then(() => this.#pending)
      .then(() => new Promise((resolve) => setTimeout(resolve, lastWordsMs)))
      .then(() => this.#writer?.abort(reason))
      .catch(() => {});
  }

  /** The client has left; writes go nowhere from here on. */
  discard(): void {
    this.#isDiscarded = true;
    this.#open = 0;
  }

  /**
   * Lets the runtime carry `body` into the pipe. Resolves with how it ended: an error is the
   * upstream's.
   */
  takeOver(
    body: ReadableStream<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<'done' | 'client' | Error> {
    this.#writer?.releaseLock();
    this.#writer = null;
    const piped = body.pipeTo(this.#writable, {
      preventClose: true,
      preventAbort: true,
      ...(signal ? { signal } : {}),
    });
    const result = piped.then(
      () => this.#takeBack('done' as const),
      (error: unknown) => this.#takeBack(error instanceof Error ? error : new Error(String(error))),
    );
    this.#taken = result.then(() => {});
    return result;
  }

  async #takeBack(result: 'done' | Error): Promise<'done' | 'client' | Error> {
    const writer = this.#writable.getWriter();
    this.#writer = writer;
    if (result === 'done') return result;
    // A pipe whose reader has gone takes nothing more.
    const isGone = await Promise.race([
      writer.closed.then(
        () => true,
        () => true,
      ),
      writer.ready.then(
        () => false,
        () => true,
      ),
    ]);
    return isGone ? 'client' : result;
  }

  #clientClosed(): void {
    this.#open = 0;
    if (this.#isOver || this.#isDiscarded || this.#writer === null) return;
    this.#onClientClosed();
  }
}
