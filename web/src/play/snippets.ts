/** The request as code. The key is a placeholder, since snippets are shared. */
export const snippets: Readonly<Record<string, (base: string, body: object) => string>> = {
  curl: (base, body) =>
    `curl -N ${base}/chat/completions \\
  -H 'Content-Type: application/json' \\
  -H "Authorization: Bearer $API_KEY" \\
  -d '${JSON.stringify(body, null, 2).replaceAll("'", "'\\''")}'`,
  JavaScript: (base, body) =>
    `import OpenAI from 'openai';

const client = new OpenAI({ baseURL: '${base}', apiKey: process.env.API_KEY });
const stream = await client.chat.completions.create(${JSON.stringify(body, null, 2)});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? '');`,
  Python: (base, body) =>
    `import os
from openai import OpenAI

client = OpenAI(base_url="${base}", api_key=os.environ["API_KEY"])
stream = client.chat.completions.create(**${python(body)})
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="")`,
};

/** JSON in the syntax of Python. */
function python(value: unknown): string {
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (value === null || value === undefined) return 'None';
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([key, each]) => `${JSON.stringify(key)}: ${python(each)}`)
      .join(', ')}}`;
  return JSON.stringify(value);
}
