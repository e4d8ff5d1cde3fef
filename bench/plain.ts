import { createServer, request } from 'node:http';

/**
 * The plainest converter, to compare with: `JSON.parse` of each event, and the new text by length.
 * No keys, no errors, no pictures. `node bench/plain.ts UPSTREAM_PORT PORT`
 */
const [upstream, port] = process.argv.slice(2).map(Number) as [number, number];

createServer((incoming, response) => {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    const body = JSON.parse(Buffer.concat(chunks).toString()) as { messages: { content: string }[] };
    const sent = request(
      { port: upstream, host: '127.0.0.1', method: 'POST', path: '/p/backend-api/conversation' },
      (turn) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        let held = '';
        let text = '';
        turn.setEncoding('utf8');
        turn.on('data', (piece: string) => {
          held += piece;
          for (let end = held.indexOf('\n\n'); end >= 0; end = held.indexOf('\n\n')) {
            const data = held.slice(6, end);
            held = held.slice(end + 2);
            if (data === '[DONE]') continue;
            const { message } = JSON.parse(data) as { message: { content: { parts: [string] } } };
            const [now] = message.content.parts;
            const content = now.slice(text.length);
            text = now;
            if (content === '') continue;
            const delta = { index: 0, delta: { content }, finish_reason: null };
            const line = {
              id: 'x',
              object: 'chat.completion.chunk',
              created: 1,
              model: 'gpt-4',
              choices: [delta],
            };
            response.write(`data: ${JSON.stringify(line)}\n\n`);
          }
        });
        turn.on('end', () => response.end('data: [DONE]\n\n'));
      },
    );
    sent.end(JSON.stringify(body));
  });
}).listen(port, '127.0.0.1');
