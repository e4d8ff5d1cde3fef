import { describe, expect, test } from 'vitest';
import { AccessKeyNeeded, type Ask, type Balance, checkKey } from './billing.ts';
import { toCsv } from './csv.ts';
import { masked, readKeys } from './keys.ts';

const now = new Date('2026-11-21T10:00:00Z');
const models = {
  data: [
    { id: 'gpt-4', created: 1 },
    { id: 'gpt-5', created: 9 },
    { id: 'whisper-1', created: 5 },
  ],
};

/** An upstream that knows some paths; others are a 404. */
function upstream(answers: Record<string, unknown>, asked: string[] = []): Ask {
  return async (path) => {
    asked.push(path);
    const found = answers[path.split('?')[0] as string];
    if (typeof found === 'number') return { status: found, body: { error: { message: `status ${found}` } } };
    return found === undefined ? { status: 404, body: null } : { status: 200, body: found };
  };
}

describe('a key that is not judged', () => {
  const refusing =
    (error: object): Ask =>
    async () => ({ status: 401, body: { error } });
  test.each([
    { code: 'access_key_required', message: 'x' },
    { code: 'invalid_access_key', message: 'x' },
    {
      code: 'invalid_api_key',
      message: 'This gateway asks for an access key. Send one as Authorization: Bearer K.',
    },
    { code: 'invalid_api_key', message: 'The key is not one of the access keys of this gateway.' },
  ])('if the gateway itself refuses (%j)', async (error) => {
    await expect(checkKey('sk-good', refusing(error), now)).rejects.toThrow(AccessKeyNeeded);
  });

  test('but a refusal of the upstream is one', async () => {
    const error = { code: 'invalid_api_key', message: 'Incorrect API key provided' };
    expect((await checkKey('sk-bad', refusing(error), now)).state).toBe('dead');
  });

  test('a grant that has expired is not working', async () => {
    const balance = await checkKey(
      'sk-old',
      upstream({
        '/v1/models': models,
        '/v1/dashboard/billing/credit_grants': {
          total_granted: 5,
          total_used: 1,
          total_available: 4,
          grants: { data: [{ expires_at: 1_650_000_000 }] },
        },
      }),
      now,
    );
    expect(balance).toMatchObject({ state: 'expired', remaining: 4 });
  });
});

describe('what remains on a key', () => {
  test('by subscription and usage, as OpenAI tells it', async () => {
    const asked: string[] = [];
    const balance = await checkKey(
      'sk-1',
      upstream(
        {
          '/v1/models': models,
          '/v1/dashboard/billing/subscription': {
            plan: { title: 'Pay-as-you-go', id: 'payg' },
            hard_limit_usd: 120,
            access_until: 1_800_000_000,
          },
          '/v1/dashboard/billing/usage': { total_usage: 1234 },
        },
        asked,
      ),
      now,
    );
    expect(balance).toEqual({
      key: 'sk-1',
      state: 'ok',
      plan: 'Pay-as-you-go',
      newestModel: 'gpt-5',
      granted: 120,
      used: 12.34,
      remaining: 120 - 12.34,
      expiresAt: 1_800_000_000,
      message: null,
    } satisfies Balance);
    expect(asked.at(-1)).toBe('/v1/dashboard/billing/usage?start_date=2026-08-15&end_date=2026-11-22');
  });

  test('as one-api and new-api tell it: no plan, no end, perhaps no limit', async () => {
    const billing = (hard_limit_usd: number) => ({
      '/v1/models': { data: [] },
      '/v1/dashboard/billing/subscription': {
        object: 'billing_subscription',
        hard_limit_usd,
        access_until: 0,
      },
      '/v1/dashboard/billing/usage': { object: 'list', total_usage: 500 },
    });
    expect(await checkKey('k', upstream(billing(5)), now)).toMatchObject({
      state: 'empty',
      remaining: 0,
      expiresAt: null,
      newestModel: null,
    });
    expect(await checkKey('k', upstream(billing(100_000_000)), now)).toMatchObject({
      state: 'ok',
      granted: 'unlimited',
      remaining: 'unlimited',
      used: 5,
    });
  });

  test('by credit grants, where there is no subscription', async () => {
    const ask = upstream({
      '/v1/models': models,
      '/v1/dashboard/billing/credit_grants': {
        total_granted: 18,
        total_used: 4.5,
        total_available: 13.5,
        grants: { data: [{ expires_at: 5 }, { expires_at: 9 }] },
      },
    });
    expect(await checkKey('k', ask, now)).toMatchObject({
      granted: 18,
      remaining: 13.5,
      expiresAt: 9,
      plan: 'credit',
    });
  });

  test('not at all, where the upstream has neither', async () => {
    expect(await checkKey('k', upstream({ '/v1/models': models }), now)).toMatchObject({
      state: 'untold',
      newestModel: 'gpt-5',
      remaining: null,
    });
  });

  test('dead if the key is refused, failed if there is no response', async () => {
    const refusing = upstream({ '/v1/models': 401, '/v1/dashboard/billing/subscription': 401 });
    expect(await checkKey('k', refusing, now)).toMatchObject({ state: 'dead', message: 'status 401' });
    const broken: Ask = async () => ({ status: 0, body: { message: 'TypeError: Failed to fetch' } });
    expect(await checkKey('k', broken, now)).toMatchObject({
      state: 'failed',
      message: expect.stringContaining('fetch'),
    });
    const odd = upstream({ '/v1/models': 'no list', '/v1/dashboard/billing/subscription': [1] });
    expect(await checkKey('k', odd, now)).toMatchObject({ state: 'untold' });
  });
});

test('keys are read as they are pasted, each once', () => {
  expect(readKeys(' sk-abcdefgh\nsk-abcdefgh, fk-12345678;short https://x.example 密钥密钥密钥密钥')).toEqual(
    {
      keys: ['sk-abcdefgh', 'fk-12345678'],
      odd: ['short', 'https://x.example', '密钥密钥密钥密钥'],
    },
  );
  expect(masked('sk-abcdefghijklmnop')).toBe('sk-abcd…mnop');
  expect(masked('12345678')).toBe('123…');
});

test('a table for spreadsheets, in which nothing is a formula', () => {
  const balance: Balance = {
    key: '=cmd()',
    state: 'ok',
    plan: 'a "b", c',
    newestModel: null,
    granted: 'unlimited',
    used: 1 / 3,
    remaining: null,
    expiresAt: 0.001,
    message: null,
  };
  expect(toCsv([balance])).toBe(
    '\uFEFFkey,state,plan,newestModel,granted,used,remaining,expires,message\r\n\'=cmd(),ok,"a ""b"", c",,unlimited,0.33,,1970-01-01T00:00:00.001Z,\r\n',
  );
});
