/** Loads the session and its timeline from the extension, again whenever it says that they changed; texts arrive visible. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { toCodedError } from '../../shared/errors.ts';
import type { MessageHandler } from '../../shared/protocol/messageHandler.ts';
import type { ReviewHostContract, ReviewSession, ReviewViewContract } from '../../shared/protocol/review.ts';
import type { TimelineItem } from '../../shared/timeline.ts';
import { withVisibleText } from '../../shared/visibleText.ts';

export type ReviewHost = MessageHandler<ReviewViewContract, ReviewHostContract>;

export type ReviewData =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'loaded'; readonly session: ReviewSession; readonly timeline: readonly TimelineItem[] };

/** `revision` counts the extension's `sessionChanged`; what is shown stays until the new answers are there. */
export function useReviewData(host: ReviewHost, revision: number): { data: ReviewData; retry: () => void } {
  const [data, setData] = useState<ReviewData>({ kind: 'loading' });
  const latest = useRef(0);
  const load = useCallback(async () => {
    const request = ++latest.current;
    let next: ReviewData;
    try {
      const [session, timeline] = await Promise.all([host.call('getSession', {}), host.call('getTimeline', {})]);
      next = withVisibleText({ kind: 'loaded', session, timeline });
    } catch (error) {
      const { code, message } = toCodedError(error);
      next = withVisibleText({ kind: 'failed', code, message });
    }
    if (request === latest.current) setData(next);
  }, [host]);
  useEffect(() => void load(), [load, revision]);
  const retry = useCallback(() => {
    setData({ kind: 'loading' });
    void load();
  }, [load]);
  return { data, retry };
}
