import { styleText } from 'node:util';

type Fields = Readonly<Record<string, unknown>>;

const colors = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' } as const;

/** Fields that a request's line shows in its own way. */
const ownFields = new Set([
  'level',
  'time',
  'msg',
  'method',
  'path',
  'status',
  'model',
  'upstream',
  'totalMs',
  'bytes',
  'id',
]);
/** Fields that say nothing to a reader if they have these values. */
const usual: Fields = { endedBy: 'done', attempts: 1 };

/**
 * A log line for a terminal, from its JSON: time, status or level, then what matters first and the
 * request id last. A line that is not JSON stays as it is.
 */
export function readableLine(json: string): string {
  let fields: Fields;
  try {
    fields = JSON.parse(json) as Fields;
  } catch {
    return json;
  }
  const { level, time, msg, status, id } = fields;
  const color = colors[level as keyof typeof colors] ?? 'gray';
  const isRequest = msg === 'request' && typeof status === 'number';
  const head = isRequest ? String(status) : String(level).toUpperCase();
  const rest = Object.entries(fields)
    .filter(([name, value]) => value !== null && value !== usual[name] && !(ownFields.has(name) && isRequest))
    .filter(([name]) => !['level', 'time', 'msg', 'id', 'route', 'firstByteMs'].includes(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const parts = [
    clock(time),
    colored(color, head.padEnd(5)),
    ...(isRequest ? requestParts(fields) : [String(msg)]).map(printable),
    ...rest.map(printable),
    ...(typeof id === 'string' ? [colored('gray', id)] : []),
  ];
  return `${parts.join('  ')}\n`;
}

function requestParts({ method, path, model, upstream, totalMs, bytes }: Fields): string[] {
  const target = [model, upstream].filter((each) => typeof each === 'string').join(' → ');
  return [
    `${String(method)} ${String(path)}`,
    ...(target === '' ? [] : [target]),
    `${Math.round(Number(totalMs))} ms`,
    ...(typeof bytes === 'number' ? [`${bytes} B`] : []),
  ];
}

/** The time of day here. */
function clock(time: unknown): string {
  const date = new Date(String(time));
  return Number.isNaN(date.getTime()) ? '--:--:--' : date.toTimeString().slice(0, 8);
}

/** Text without control characters, which a caller could use to write on the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

type Style = Parameters<typeof styleText>[0];

function colored(style: Style, text: string): string {
  return styleText(style, printable(text), { validateStream: false });
}
