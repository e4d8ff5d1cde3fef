import { diagnose } from '../doctor/diagnose.ts';
import { explain, icons } from '../doctor/words.ts';

export type DoctorOptions = {
  /** The API's address; without `/v1` it is added. */
  readonly url: string;
  readonly key: string | undefined;
  readonly origin: string;
  readonly silenceSeconds: number;
  readonly language: 'en' | 'zh';
};

/** `sluice doctor [URL]`: looks at a gateway as its callers do, and prints a line for each finding. Gives whether nothing is bad. */
export async function doctor(options: DoctorOptions, print: (text: string) => void): Promise<boolean> {
  const base = options.url.replace(/\/+$/, '').replace(/(\/v1)?$/, '/v1');
  if (!URL.canParse(base)) {
    print(`sluice: ${options.url} is no address. Write it as http://127.0.0.1:8080/v1.\n`);
    return false;
  }
  const { key, origin, silenceSeconds, language } = options;
  const findings = diagnose({
    base,
    headers: key ? { authorization: `Bearer ${key}` } : {},
    origin,
    pageIsSecure: false,
    silenceSeconds,
    fetch,
  });
  let well = true;
  for await (const finding of findings) {
    const { text, fix } = explain(finding, language);
    print(`${icons[finding.level]} ${text}\n`);
    if (fix !== null && finding.level !== 'good') print(`    → ${fix}\n`);
    if (finding.level === 'bad') well = false;
  }
  return well;
}
