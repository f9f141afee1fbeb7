/** The review panel as a whole: loading, failed, or the session with its player, overview and timeline. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Button, ProgressRing } from '../common/controls.tsx';
import { Icon } from '../common/icon.tsx';
import { persist, usePersistedState } from '../common/usePersistedState.ts';
import type { ReviewSession } from '../../shared/protocol/review.ts';
import type { TimelineItem, TimelineScreenshot } from '../../shared/timeline.ts';
import { Header } from './header.tsx';
import { Overview } from './overview.tsx';
import { Stage } from './stage.tsx';
import { Timeline } from './timeline.tsx';
import { type ChosenRow, parseHiddenKinds } from './timelineModel.ts';
import { Transport } from './transport.tsx';
import { usePlayerKeys } from './usePlayerKeys.ts';
import { type ReviewPlayer, useHeardSound, usePlaybackState, useTicks } from './usePlayback.ts';
import { type ReviewHost, useReviewData } from './useReviewData.ts';

/** How often the position is written where VS Code keeps it. */
const persistEveryMs = 1000;

export function Review(props: {
  readonly sessionId: string;
  readonly host: ReviewHost;
  readonly player: ReviewPlayer;
  /** Fires `changed` when the extension says that there is more to ask for. */
  readonly changes: EventTarget;
  readonly startMs: () => number;
}) {
  const { host, player, sessionId, changes } = props;
  const [revision, setRevision] = useState(0);
  useEffect(() => {
    const onChanged = (): void => setRevision((count) => count + 1);
    changes.addEventListener('changed', onChanged);
    return () => changes.removeEventListener('changed', onChanged);
  }, [changes]);
  const { data, retry } = useReviewData(host, revision);
  const root = useRef<HTMLDivElement>(null);
  const started = useRef(false);
  useTicks(player.playback);
  const { pictureReady } = usePlaybackState(player.playback);
  const heard = useHeardSound(player);

  useEffect(() => {
    const show = (mediaMs: number): void => root.current?.setAttribute('data-playback-ms', String(Math.round(mediaMs)));
    show(player.playback.mediaMs);
    return player.playback.onPosition(show);
  }, [player]);
  usePersistedPosition(player, data.kind === 'loaded');

  const loaded = data.kind === 'loaded' ? data.session : undefined;
  const { startMs } = props;
  useEffect(() => {
    if (!loaded) return;
    player.playback.load(loaded);
    if (!started.current) player.playback.seek(startMs());
    started.current = true;
  }, [player, loaded, startMs]);

  return (
    <div
      ref={root}
      class="review"
      data-testid="review"
      data-session-id={sessionId}
      data-ready={String(data.kind === 'loaded' && pictureReady)}
      data-sound={heard}
    >
      {data.kind === 'loading' && (
        <div class="whole-state" role="status">
          <ProgressRing label="Loading the session" />
          <p>Loading the session…</p>
        </div>
      )}
      {data.kind === 'failed' && (
        <div class="whole-state" role="alert" data-testid="failed">
          <Icon name={data.code === 'notFound' ? 'circle-slash' : 'warning'} class="whole-icon" />
          <h1>{data.code === 'notFound' ? 'This session is gone' : 'The session cannot be shown'}</h1>
          <p>{data.message}</p>
          <Button onClick={retry}>Try Again</Button>
        </div>
      )}
      {data.kind === 'loaded' && (
        <Session
          session={data.session}
          timeline={data.timeline}
          player={player}
          host={host}
          soundBlocked={heard === 'blocked'}
        />
      )}
    </div>
  );
}

function Session(props: {
  readonly session: ReviewSession;
  readonly timeline: readonly TimelineItem[];
  readonly player: ReviewPlayer;
  readonly host: ReviewHost;
  readonly soundBlocked: boolean;
}) {
  const { session, timeline, player, host } = props;
  const { playback } = player;
  const screenshots = useMemo(() => timeline.filter(isScreenshot), [timeline]);
  const [hidden, setHidden] = usePersistedState('hiddenKinds', [], parseHiddenKinds);
  const [chosen, setChosen] = useState<ChosenRow>();
  const picture = useRef<HTMLDivElement>(null);
  usePlayerKeys(player, picture);
  const onChoose = useCallback(
    (item: TimelineItem) => {
      setChosen({ id: item.id, offsetMs: item.offsetMs });
      playback.seek(item.offsetMs);
    },
    [playback],
  );
  const onOpenFile = useCallback(
    (uri: string, line: number) => {
      // The extension shows what went wrong; here it is enough not to lose it.
      host.call('openFile', { uri, line }).catch((error: unknown) => {
        host.emit('webviewError', { message: `openFile failed: ${String(error)}` });
      });
    },
    [host],
  );
  return (
    <>
      <Header session={session} timeline={timeline} />
      <main class="workspace">
        <section class="player" aria-label="Player">
          <div class="picture" ref={picture}>
            <Stage session={session} timeline={timeline} screenshots={screenshots} player={player} />
            <Transport
              player={player}
              durationMs={session.durationMs}
              hasSound={session.audio.length > 0}
              soundBlocked={props.soundBlocked}
              picture={picture}
            />
          </div>
          <Overview session={session} timeline={timeline} screenshots={screenshots} playback={playback} />
        </section>
        <Timeline
          items={timeline}
          playback={playback}
          hidden={hidden}
          onHide={setHidden}
          chosen={chosen}
          onChoose={onChoose}
          onOpenFile={onOpenFile}
        />
      </main>
    </>
  );
}

function usePersistedPosition({ playback }: ReviewPlayer, loaded: boolean): void {
  useEffect(() => {
    if (!loaded) return undefined;
    let written = -1;
    const write = (): void => {
      const positionMs = Math.round(playback.mediaMs);
      if (positionMs !== written) persist({ positionMs });
      written = positionMs;
    };
    const timer = setInterval(write, persistEveryMs);
    return () => clearInterval(timer);
  }, [playback, loaded]);
}

function isScreenshot(item: TimelineItem): item is TimelineScreenshot {
  return item.kind === 'screenshot';
}
