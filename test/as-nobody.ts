/** Runs the gateway as a user without rights, if the tests run as root. */
import '../src/upstreams/backend-api/upstream.ts';
import 'file-type';
import 'mime/lite';
import { start } from '../src/node.ts';

process.setgid?.(65_534);
process.setuid?.(65_534);
await start(process.env);
