import { useRef, useState } from 'preact/hooks';
import { root } from '../shared/gateway.ts';
import { chat, chatBody, type Message } from './chat.ts';
import { type Answer, type Exchange, history, noAnswer } from './conversation.ts';

/** The conversation of the page: its exchanges, and how to send, stop and clear. */
export function useConversation(headers: Record<string, string>) {
  const [exchanges, setExchanges] = useState<readonly Exchange[]>([]);
  const running = useRef<AbortController | null>(null);
  const nextId = useRef(0);

  /** Sends a message after the given exchanges. Resolves to whether there was an answer. */
  const send = async (model: string, user: Message, before = exchanges): Promise<boolean> => {
    const controller = new AbortController();
    running.current = controller;
    const id = nextId.current++;
    let answer: Answer = noAnswer;
    let frame = 0;
    const draw = (): void => {
      frame = 0;
      setExchanges([...before, { id, user, answer }]);
    };
    draw();
    const began = performance.now();
    const elapsed = (): number => Math.round(performance.now() - began);
    try {
      const body = chatBody(model, [...history(before), user]);
      for await (const chunk of chat(`${root}/v1/chat/completions`, headers, body, controller.signal)) {
        answer = {
          ...answer,
          text: answer.text + chunk.text,
          reasoning: answer.reasoning + chunk.reasoning,
          finish: chunk.finish ?? answer.finish,
          requestId: chunk.requestId,
          firstMs: answer.firstMs ?? elapsed(),
        };
        // Chunks come faster than the screen shows them. One draw per frame keeps the page
        // responsive.
        if (frame === 0) frame = requestAnimationFrame(draw);
      }
      answer = { ...answer, state: 'done' };
    } catch (error) {
      answer = controller.signal.aborted
        ? { ...answer, state: 'stopped' }
        : { ...answer, state: 'failed', error: (error as Error).message };
    }
    cancelAnimationFrame(frame);
    answer = { ...answer, totalMs: elapsed() };
    running.current = null;
    draw();
    return answer.state !== 'failed' && answer.text !== '';
  };

  return {
    exchanges,
    isRunning: exchanges.at(-1)?.answer.state === 'running',
    send,
    stop: () => running.current?.abort(),
    clear: () => setExchanges([]),
  };
}
