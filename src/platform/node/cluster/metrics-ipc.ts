import type { ChildProcess } from 'node:child_process';
import type { Counted } from '../metrics.ts';

/** What processes say to each other about what they counted: one asks, its parent asks all, and gives what they said. */
type Message =
  | { readonly counts: 'all?'; readonly question: number }
  | { readonly counts: 'all'; readonly question: number; readonly all: readonly Counted[] }
  | { readonly counts: 'yours?'; readonly question: number }
  | { readonly counts: 'mine'; readonly question: number; readonly mine: Counted };

/** A process that does not answer in this time is left out: it may be ending. */
const patienceMs = 2000;

const isMessage = (value: unknown): value is Message =>
  typeof value === 'object' && value !== null && 'counts' in value;

let questions = 0;

/** In a worker process: what all of them counted. */
export function askParentForCounts(): Promise<readonly Counted[]> {
  const question = ++questions;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      process.off('message', hear);
      reject(new Error('the parent process gave no counts'));
    }, patienceMs * 2);
    const hear = (message: unknown): void => {
      if (!isMessage(message) || message.counts !== 'all' || message.question !== question) return;
      clearTimeout(timer);
      process.off('message', hear);
      resolve(message.all);
    };
    process.on('message', hear);
    process.send?.({ counts: 'all?', question } satisfies Message);
  });
}

/** In a worker process: says what it counted whenever the parent asks. */
export function answerParent(own: () => Promise<Counted>): void {
  process.on('message', (message: unknown) => {
    if (!isMessage(message) || message.counts !== 'yours?') return;
    const { question } = message;
    void own().then((mine) => process.send?.({ counts: 'mine', question, mine } satisfies Message));
  });
}

/** In the parent: answers a child's question with what all children say. */
export function gatherFor(child: ChildProcess, all: ReadonlySet<ChildProcess>): void {
  child.on('message', (message: unknown) => {
    if (!isMessage(message) || message.counts !== 'all?') return;
    const { question } = message;
    void Promise.all([...all].map(countsOf)).then((counts) => {
      if (!child.connected) return;
      child.send({
        counts: 'all',
        question,
        all: counts.filter((each) => each !== null),
      } satisfies Message);
    });
  });
}

let asked = 0;

function countsOf(child: ChildProcess): Promise<Counted | null> {
  const question = ++asked;
  return new Promise((resolve) => {
    const done = (counts: Counted | null): void => {
      clearTimeout(timer);
      child.off('message', hear);
      resolve(counts);
    };
    const timer = setTimeout(() => done(null), patienceMs);
    const hear = (message: unknown): void => {
      if (isMessage(message) && message.counts === 'mine' && message.question === question)
        done(message.mine);
    };
    child.on('message', hear);
    if (child.connected) child.send({ counts: 'yours?', question } satisfies Message);
    else done(null);
  });
}
