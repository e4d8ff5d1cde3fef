/** Who or what ended a response. */
export type EndedBy = 'done' | 'client' | 'upstream' | 'timeout' | 'gateway';
