import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { parse } from 'jsonc-parser';

const validate = new Ajv({ allErrors: true }).compile(
  JSON.parse(readFileSync('sluice.schema.json', 'utf8')) as object,
);

/** What the published JSON Schema, and so an editor, finds wrong in a settings file. */
export function schemaErrors(text: string): string[] {
  validate(parse(text, [], { allowTrailingComma: true }));
  return (validate.errors ?? []).map(({ instancePath, message, params }) =>
    `${instancePath} ${message} ${JSON.stringify(params)}`.trim(),
  );
}
