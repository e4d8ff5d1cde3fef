// PLACEHOLDER by the gateway's author, to be replaced whole by the emulator engineer. Overwrite freely.
export function createEmulator() {
  return { fetch: async (request: Request): Promise<Response> => Response.json({ url: request.url }) };
}
