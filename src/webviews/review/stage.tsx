/** The picture: the video, a screenshot where there is no video, or words that say why there is nothing to see. */
import { useCallback, useEffect, useRef } from 'preact/hooks';
import { ProgressRing } from '../common/controls.tsx';
import { Icon } from '../common/icon.tsx';
import type { ReviewSession } from '../../shared/protocol/review.ts';
import type { TimelineItem, TimelineScreenshot } from '../../shared/timeline.ts';
import { gapAt, screenshotAt } from './overviewModel.ts';
import type { Place } from './playback/mediaPlan.ts';
import { type ReviewPlayer, usePlaybackState, usePosition } from './usePlayback.ts';

/** Shorter gaps, as between two takes, keep the neighbouring picture instead of flashing words. */
const shortGapMs = 1500;

export function Stage(props: {
  readonly session: ReviewSession;
  readonly timeline: readonly TimelineItem[];
  readonly screenshots: readonly TimelineScreenshot[];
  readonly player: ReviewPlayer;
}) {
  const { session, screenshots } = props;
  const { playback } = props.player;
  const { place, pictureReady, pictureBroken, playing, waiting } = usePlaybackState(playback);
  const showVideo = session.takes.length > 0 && !pictureBroken && !isLongGap(place);
  const showScreenshot = (session.takes.length === 0 || pictureBroken) && screenshots.length > 0;
  const showNote = !showVideo && !showScreenshot;
  return (
    <div class="stage" onClick={() => playback.toggle()}>
      {session.takes.length > 0 && <Video player={props.player} shown={showVideo} />}
      {showScreenshot && <Screenshot screenshots={screenshots} broken={pictureBroken} player={props.player} />}
      {showNote && <Note session={session} timeline={props.timeline} broken={pictureBroken} player={props.player} />}
      {showVideo && (waiting || !pictureReady) && (
        <div class="stage-waiting">
          <ProgressRing label="Loading the picture" />
        </div>
      )}
      {(showVideo || showScreenshot) && pictureReady && !playing && (
        <span class="stage-play" aria-hidden="true">
          <Icon name="play" />
        </span>
      )}
    </div>
  );
}

function Video(props: { readonly player: ReviewPlayer; readonly shown: boolean }) {
  const video = useRef<HTMLVideoElement>(null);
  const { playback } = props.player;
  useEffect(() => (video.current ? playback.attach(video.current) : undefined), [playback]);
  return (
    <video
      ref={video}
      data-testid="player"
      class={props.shown ? 'screen' : 'screen hidden'}
      aria-label="Recorded screen"
      preload="auto"
      // Its sound is played from the segments.
      muted
      playsInline
      disablePictureInPicture
    />
  );
}

function Screenshot(props: {
  readonly screenshots: readonly TimelineScreenshot[];
  readonly broken: boolean;
  readonly player: ReviewPlayer;
}) {
  const { screenshots } = props;
  const pick = useCallback((mediaMs: number) => screenshotAt(screenshots, mediaMs), [screenshots]);
  const screenshot = usePosition(props.player.playback, pick);
  return (
    <>
      {screenshot?.url === undefined ? (
        <Plate icon="device-camera" title="This screenshot is missing" />
      ) : (
        <img class="screen" src={screenshot.url} alt="Screenshot of this moment" data-testid="stage-screenshot" />
      )}
      <span class="stage-caption">
        {props.broken ? 'This part of the video cannot be played' : 'No video'} · showing screenshots
      </span>
    </>
  );
}

function Note(props: {
  readonly session: ReviewSession;
  readonly timeline: readonly TimelineItem[];
  readonly broken: boolean;
  readonly player: ReviewPlayer;
}) {
  const { gaps } = props.session;
  const reasonNow = useCallback((mediaMs: number) => gapAt(gaps, mediaMs)?.reason, [gaps]);
  const reason = usePosition(props.player.playback, reasonNow);
  if (props.broken) return <Plate icon="warning" title="This part of the video cannot be played" />;
  if (props.session.takes.length > 0) {
    return (
      <Plate icon="debug-disconnect" title="Nothing was recorded here" {...(reason !== undefined && { reason })} />
    );
  }
  const { recordingConfig } = props.session.metadata;
  if (!recordingConfig.videoEnabled) {
    return <Plate icon="device-camera-video" title="This session was recorded without video" />;
  }
  const why = whyNoVideo(props.session, props.timeline);
  return <Plate icon="device-camera-video" title="No video" {...(why !== undefined && { reason: why })} />;
}

function Plate(props: { readonly icon: string; readonly title: string; readonly reason?: string }) {
  return (
    <div class="plate" role="status" data-testid="plate">
      <Icon name={props.icon} class="plate-icon" />
      <strong>{props.title}</strong>
      {props.reason !== undefined && <span class="plate-reason">{props.reason}</span>}
    </div>
  );
}

/** The most exact reason that was recorded. */
function whyNoVideo(session: ReviewSession, timeline: readonly TimelineItem[]): string | undefined {
  const gap = session.gaps.find(({ service }) => service === 'video' || service === 'recorder');
  const problem = timeline.find(
    (item) => item.kind === 'problem' && (item.service === 'video' || item.service === 'recorder'),
  );
  return (
    gap?.reason ??
    (problem?.kind === 'problem' ? problem.message : undefined) ??
    session.metadata.problems?.[0] ??
    session.missing[0]
  );
}

function isLongGap(place: Place): boolean {
  return place.kind === 'gap' && place.untilMs - place.fromMs > shortGapMs;
}
