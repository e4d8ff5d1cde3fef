import type { Library } from '../files/library.ts';
import type { Platform } from '../platform/platform.ts';
import type { Settings } from '../settings/schema.ts';
import { createBackendUpstream } from './backend/upstream.ts';
import { createCompatibleUpstream } from './compatible/upstream.ts';
import type { Upstream } from './upstream.ts';

/** Makes the upstreams that the settings name; the built-in emulator, at its own address, where they name none. */
export function createUpstreams(
  settings: Settings,
  platform: Platform,
  library: Library | null,
): readonly Upstream[] {
  const timeouts = {
    connect: settings.connectTimeout,
    firstByte: settings.firstByteTimeout,
    idle: settings.idleTimeout,
    total: settings.totalTimeout,
  };
  const named = Object.entries(settings.upstreams);
  if (named.length === 0) {
    return [
      createCompatibleUpstream({
        name: 'emulator',
        url: platform.emulator,
        keys: null,
        models: null,
        timeouts,
        keySetting: 'OPENAI_API_KEY',
      }),
      createBackendUpstream(
        { ...settings, name: 'emulator-web', bases: [`${platform.emulator}/emulator-web`], keys: null },
        platform,
        library,
      ),
    ];
  }
  return named.map(([name, upstream]) =>
    upstream.kind === 'openai'
      ? createCompatibleUpstream({
          name,
          url: upstream.url,
          keys: upstream.keys,
          models: upstream.models ?? null,
          timeouts,
          keySetting: name === 'openai' ? 'OPENAI_API_KEY' : `upstreams.${name}.key`,
        })
      : createBackendUpstream(
          { ...settings, name, bases: basesOf(upstream), keys: upstream.keys },
          platform,
          library,
        ),
  );
}

function basesOf({ url, prefix }: { url: string; prefix: readonly string[] }): string[] {
  const stem = url.replace(/\/+$/, '');
  return prefix.length === 0 ? [stem] : prefix.map((each) => (each === '' ? stem : `${stem}/${each}`));
}
