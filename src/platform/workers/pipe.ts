/**
 * Makes a pipe that the runtime carries bytes through, without waking the isolate for each chunk.
 */
export const createPipe = (): ReadableWritablePair<Uint8Array, Uint8Array> => new IdentityTransformStream();

/** A pipe of the runtime's own; its type is not among the standard's. */
declare const IdentityTransformStream: new () => ReadableWritablePair<Uint8Array, Uint8Array>;
