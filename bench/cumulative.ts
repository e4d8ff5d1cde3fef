/**
 * The events of a conversation of so many tokens, as backend-api sends them.
 * Each is a snapshot of the whole text so far.
 */
export function cumulativeEvents(tokens: number): string[] {
  let text = '';
  const events: string[] = [];
  const event = (status: string) =>
    `data: ${JSON.stringify({
      message: {
        id: 'bench',
        author: { role: 'assistant', name: null, metadata: {} },
        create_time: 1702630416.5,
        update_time: null,
        content: { content_type: 'text', parts: [text] },
        status,
        end_turn: status === 'in_progress' ? null : true,
        weight: 1,
        metadata: { message_type: 'next', model_slug: 'gpt-4', parent_id: 'parent' },
        recipient: 'all',
      },
      conversation_id: 'conversation',
      error: null,
    })}\n\n`;
  for (let i = 0; i < tokens; i++) {
    text += i % 20 === 19 ? ' word.\n' : ' word';
    events.push(event('in_progress'));
  }
  events.push(event('finished_successfully'), 'data: [DONE]\n\n');
  return events;
}
