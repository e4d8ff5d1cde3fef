import type { Asked } from '../emulator.ts';

type Upload = {
  readonly name: string;
  readonly useCase: string;
  readonly size: number;
  stored: number | null;
};

/** An emulator left running must not grow: only sizes are kept, and the oldest go first. */
const maxUploads = 500;

/**
 * The three steps of an upload: announce it, put its bytes at the address that is given, say that
 * they are there.
 */
export function createUploads() {
  const uploads = new Map<string, Upload>();
  const refused = (status: number, detail: string) => Response.json({ detail }, { status });
  const idIn = ({ url }: Asked) => /file-up\d+/.exec(url.pathname)?.[0] ?? '';

  return [
    [
      'POST',
      /\/backend-api\/files$/,
      async ({ request, url, serial }: Asked) => {
        const body = (await request.json().catch(() => null)) as {
          file_name?: unknown;
          file_size?: unknown;
          use_case?: unknown;
        } | null;
        if (typeof body?.file_name !== 'string' || typeof body.file_size !== 'number')
          return refused(422, 'file_name and file_size are required');
        const id = `file-up${serial}`;
        uploads.set(id, {
          name: body.file_name,
          useCase: String(body.use_case ?? ''),
          size: body.file_size,
          stored: null,
        });
        for (const oldest of uploads.keys()) {
          if (uploads.size <= maxUploads) break;
          uploads.delete(oldest);
        }
        return Response.json({
          status: 'success',
          file_id: id,
          upload_url: `${url.origin}/emulator/uploads/${id}?sig=x`,
        });
      },
    ],
    [
      'PUT',
      /\/emulator\/uploads\/file-up\d+$/,
      async (asked: Asked) => {
        const upload = uploads.get(idIn(asked));
        if (!upload) return refused(404, 'no such upload');
        // A signed address takes no second credential, as the real one does not.
        if (asked.request.headers.has('authorization'))
          return refused(400, 'only one way to authenticate may be used');
        upload.stored = (await asked.request.arrayBuffer()).byteLength;
        return new Response(null, { status: 201 });
      },
    ],
    [
      'POST',
      /\/backend-api\/files\/file-up\d+\/uploaded$/,
      (asked: Asked) => {
        const upload = uploads.get(idIn(asked));
        if (!upload || upload.stored !== upload.size) return refused(400, 'the bytes are not there');
        return Response.json({
          status: 'success',
          download_url: `${asked.url.origin}/emulator/files/${encodeURIComponent(upload.name)}`,
        });
      },
    ],
    [
      'GET',
      /\/backend-api\/files\/file-up\d+$/,
      (asked: Asked) => {
        const upload = uploads.get(idIn(asked));
        return upload
          ? Response.json({
              id: idIn(asked),
              name: upload.name,
              use_case: upload.useCase,
              retrieval_index_status: 'success',
            })
          : refused(404, 'no such file');
      },
    ],
  ] as const;
}
