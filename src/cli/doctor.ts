import { diagnose } from '../doctor/diagnose.ts';
import { explain, icons } from '../doctor/words.ts';

export type DoctorOptions = {
  /** The API's address; `/v1` is added if it is missing. */
  readonly url: string;
  readonly key: string | undefined;
  /** The origin of a web page that calls; without one no page is tested. */
  readonly origin: string | undefined;
  readonly silenceSeconds: number;
  readonly language: 'en' | 'zh';
};

/**
 * `sluice doctor [URL]`: tests a gateway as its callers see it and prints the findings. Returns
 * false if one is bad.
 */
export async function doctor(options: DoctorOptions, print: (text: string) => void): Promise<boolean> {
  const base = options.url.replace(/\/+$/, '').replace(/(\/v1)?$/, '/v1');
  if (!URL.canParse(base) || !/^https?:/.test(base)) {
    print(`sluice: "${options.url}" is not an address. Write it as http://127.0.0.1:8080/v1.\n`);
    return false;
  }
  const { key, origin, silenceSeconds, language } = options;
  if (silenceSeconds > 0)
    print(
      language === 'zh'
        ? `最后会测试 ${silenceSeconds} 秒没有数据的连接，请稍候。\n`
        : `The last test waits for ${silenceSeconds} seconds without data.\n`,
    );
  const findings = diagnose({
    base,
    headers: key ? { authorization: `Bearer ${key}` } : {},
    origin: origin ?? null,
    pageIsSecure: origin?.startsWith('https:') ?? false,
    silenceSeconds,
    fetch,
  });
  let isHealthy = true;
  for await (const finding of findings) {
    const { text, fix } = explain(finding, language);
    print(`${icons[finding.level]} ${text}\n`);
    if (fix !== null && finding.level !== 'good') print(`    → ${fix}\n`);
    if (finding.level === 'bad') isHealthy = false;
  }
  return isHealthy;
}
