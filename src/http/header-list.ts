/** The items of a comma-separated header value (RFC 9110 §5.6.1), trimmed. Takes linear time. */
export function listItems(value: string): string[] {
  const items: string[] = [];
  for (const part of value.split(',')) {
    const item = part.trim();
    if (item !== '') items.push(item);
  }
  return items;
}
