import type { Asked } from '../emulator.ts';
import { apiError } from './errors.ts';

type Stored = {
  readonly id: string;
  readonly name: string;
  readonly purpose: string;
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly created: number;
};

/** Limits, so that an emulator left running does not grow: the oldest files are dropped first. */
const maxFiles = 100;
const maxTotalBytes = 64 * 1024 * 1024;

/** `/v1/files`: kept in memory, within limits. */
export function createFiles() {
  const stored = new Map<string, Stored>();

  const keep = (file: Stored): void => {
    stored.set(file.id, file);
    const total = () => [...stored.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
    for (const id of stored.keys()) {
      if (stored.size <= maxFiles && total() <= maxTotalBytes) break;
      stored.delete(id);
    }
  };

  const found = ({ url }: Asked): Stored => {
    const id = url.pathname.split('/')[3] ?? '';
    const file = stored.get(id);
    if (!file) throw apiError(404, `No such File object: ${id.slice(0, 100)}`, { param: 'id' });
    return file;
  };

  return {
    async upload({ request, id, created }: Asked): Promise<Response> {
      const form = await request.formData().catch(() => {
        throw apiError(400, 'The body must be multipart/form-data.');
      });
      const file = form.get('file');
      const purpose = form.get('purpose');
      if (file === null || typeof file === 'string')
        return apiError(400, "'file' is a required property.", { param: 'file' });
      if (typeof purpose !== 'string')
        return apiError(400, "'purpose' is a required property.", { param: 'purpose' });
      const kept: Stored = {
        id: `file-${id}`,
        name: file.name,
        purpose,
        type: file.type,
        bytes: new Uint8Array(await file.arrayBuffer()),
        created,
      };
      keep(kept);
      return Response.json(described(kept));
    },
    list: () => Response.json({ object: 'list', data: [...stored.values()].map(described), has_more: false }),
    retrieve: (asked: Asked) => Response.json(described(found(asked))),
    content(asked: Asked): Response {
      const { bytes, type } = found(asked);
      return new Response(bytes.slice(), { headers: { 'content-type': type || 'application/octet-stream' } });
    },
    remove(asked: Asked): Response {
      const { id } = found(asked);
      stored.delete(id);
      return Response.json({ id, object: 'file', deleted: true });
    },
  };
}

function described({ id, name, purpose, bytes, created }: Stored): Record<string, unknown> {
  return {
    id,
    object: 'file',
    bytes: bytes.length,
    created_at: created,
    filename: name,
    purpose,
    status: 'processed',
  };
}
