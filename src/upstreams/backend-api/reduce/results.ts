import { isFinished, type Message, textOf } from '../decode/message.ts';
import { classifyMessage } from './classify.ts';
import { picturesOf } from './pictures.ts';

/**
 * Whether a message is the result of work that began: a picture, or words of the assistant or the
 * tool.
 */
export function isResult(message: Message): boolean {
  const { as } = classifyMessage(message);
  if (as === 'answer') return textOf(message.content) !== '' || hasPicture(message);
  if (as === 'words') return isFinished(message) && textOf(message.content).trim() !== '';
  return (as === 'pictures' || as === 'output') && hasPicture(message);
}

/** Whether a message of a stored conversation is the last one of its turn. */
export function isEndOfTurn(message: Message): boolean {
  if (!isFinished(message)) return false;
  if (message.end_turn === true || message.metadata?.is_async_task_result_message === true) return true;
  return classifyMessage(message).as === 'words';
}

/** Whether a message shows a picture. */
export function hasPicture(message: Message): boolean {
  return picturesOf(message, new Set()).length > 0;
}
