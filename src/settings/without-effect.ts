import { describeSettings } from './schema.ts';
import { describeUpstreamFields } from './upstream-schema.ts';

const places = { node: 'Node', workers: 'Workers' };

/** One warning for each setting that was set, but has no effect on this runtime. */
export function withoutEffect(
  values: Readonly<Record<string, unknown>>,
  origins: Readonly<Record<string, string>>,
  platform: 'node' | 'workers',
): readonly string[] {
  const warning = (name: string) => `${name}: has no effect on ${places[platform]}. Leave it out.`;
  const settings = describeSettings()
    .filter(({ key, onlyOn }) => onlyOn && onlyOn !== platform && values[key] !== undefined)
    // The environment name, if the environment set it.
    .map(({ key, env, olderEnv = [] }) => {
      const origin = origins[key];
      return warning(origin !== undefined && [env, ...olderEnv].includes(origin) ? origin : key);
    });
  const fields = describeUpstreamFields().filter(({ onlyOn }) => onlyOn && onlyOn !== platform);
  const ofUpstreams = Object.entries((values.upstreams ?? {}) as Record<string, object>).flatMap(
    ([name, upstream]) =>
      fields.filter(({ key }) => key in upstream).map(({ key }) => warning(`upstreams.${name}.${key}`)),
  );
  return [...settings, ...ofUpstreams];
}
