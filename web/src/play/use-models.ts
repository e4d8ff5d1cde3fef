import { useEffect, useState } from 'preact/hooks';
import { root } from '../shared/gateway.ts';
import { messageOf } from '../shared/message.ts';

type Model = { readonly id: string };

/** Models that are not for chats, by their names. */
const others = /^(dall-e|gpt-image|whisper|tts|text-embedding|text-moderation|omni-moderation|sora)|embed/i;

/**
 * The chat models that the gateway lists, read again a moment after the keys change. `needsKey`: it
 * refused for want of one.
 */
export function useModels(headers: Record<string, string>) {
  const [models, setModels] = useState<readonly string[]>([]);
  const [problem, setProblem] = useState('');
  const [needsKey, setNeedsKey] = useState(false);
  const keys = JSON.stringify(headers);
  useEffect(() => {
    const controller = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const response = await fetch(`${root}/v1/models`, {
          headers: JSON.parse(keys) as Record<string, string>,
          signal: controller.signal,
        });
        const body = (await response.json()) as { data?: readonly Model[] };
        const ids = response.ok ? (body.data ?? []).map(({ id }) => id) : [];
        setModels(ids.filter((id) => !others.test(id)));
        setNeedsKey(response.status === 401);
        setProblem(response.ok ? '' : messageOf(response.status, body));
      } catch (error) {
        if (!controller.signal.aborted) setProblem(String(error));
      }
    }, 300);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [keys]);
  return { models, problem, needsKey };
}
