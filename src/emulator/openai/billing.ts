import type { Asked } from '../emulator.ts';
import { apiError } from './errors.ts';

const expiry = 1_900_000_000;

const answers: Readonly<Record<string, unknown>> = {
  subscription: {
    object: 'billing_subscription',
    has_payment_method: true,
    soft_limit_usd: 100,
    hard_limit_usd: 120,
    system_hard_limit_usd: 120,
    access_until: expiry,
    plan: { title: 'Emulated', id: 'emulated' },
  },
  usage: { object: 'list', total_usage: 1234.5, daily_costs: [] },
  credit_grants: {
    object: 'credit_summary',
    total_granted: 18,
    total_used: 4.5,
    total_available: 13.5,
    grants: {
      object: 'list',
      data: [
        {
          object: 'credit_grant',
          id: 'grant-1',
          grant_amount: 18,
          used_amount: 4.5,
          effective_at: 1_700_000_000,
          expires_at: expiry,
        },
      ],
    },
  },
};

/** `GET /dashboard/billing/*`: a balance that never changes. */
export function billing({ url }: Asked): Response {
  const answer = answers[url.pathname.split('/').at(-1) ?? ''];
  return answer ? Response.json(answer) : apiError(404, `Invalid URL (GET ${url.pathname})`);
}
