/** Fields of a log line: facts, never sentences with a key in them. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Writes one log line. */
export type Log = (level: LogLevel, message: string, fields?: LogFields) => void;
