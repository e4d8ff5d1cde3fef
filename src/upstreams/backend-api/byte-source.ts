/**
 * Where the bytes of an answer come from: the reader of a body, or anything that is read like one.
 */
export type ByteSource = {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
  cancel(): unknown;
};
