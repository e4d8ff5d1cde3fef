/** The gateway as a user without rights, for a test that root runs. Modules are loaded before, while they can be. */
import '../src/upstreams/backend-api/upstream.ts';
import 'file-type';
import 'mime/lite';
import { start } from '../src/node.ts';

process.setgid?.(65_534);
process.setuid?.(65_534);
await start(process.env);
