type Schema = {
  type?: unknown;
  properties?: unknown;
  items?: unknown;
  enum?: unknown;
  const?: unknown;
  anyOf?: unknown;
  minimum?: unknown;
};

/**
 * A value that satisfies a simple JSON Schema, as structured answers use them. Strings are filled
 * with `text`.
 */
export function instanceOf(schema: unknown, text: string, depth = 0): unknown {
  if (typeof schema !== 'object' || schema === null || depth > 8) return depth === 0 ? {} : text;
  const { type, properties, items, enum: choices, const: only, anyOf, minimum } = schema as Schema;
  if (only !== undefined) return only;
  if (Array.isArray(choices)) return choices[0];
  if (Array.isArray(anyOf)) return instanceOf(anyOf[0], text, depth + 1);
  switch (Array.isArray(type) ? type[0] : type) {
    case 'object':
      return Object.fromEntries(
        Object.entries((properties ?? {}) as Record<string, unknown>).map(([key, value]) => [
          key,
          instanceOf(value, text, depth + 1),
        ]),
      );
    case 'array':
      return [instanceOf(items, text, depth + 1)];
    case 'number':
    case 'integer':
      return typeof minimum === 'number' ? minimum : Number(/-?\d+/.exec(text)?.[0] ?? 1);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return depth === 0 ? {} : text;
  }
}
