/** The strip over the whole session: what happened when, where playback is, and a way to any moment. */
import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { clockTime, splitPath } from '../common/format.ts';
import type { ReviewSession } from '../../shared/protocol/review.ts';
import type { TimelineItem, TimelineScreenshot } from '../../shared/timeline.ts';
import { barPitch, drawOverview, overviewColours } from './drawOverview.ts';
import { buildOverview, gapsByMark, type OverviewModel, screenshotAt } from './overviewModel.ts';
import { clamp } from './playback/mediaPlan.ts';
import type { Playback } from './playback/playback.ts';
import { usePosition } from './usePlayback.ts';
import { useSize, useThemeRevision } from './usePage.ts';

interface OverviewProps {
  readonly session: ReviewSession;
  readonly timeline: readonly TimelineItem[];
  readonly screenshots: readonly TimelineScreenshot[];
  readonly playback: Playback;
}

export function Overview({ session, timeline, screenshots, playback }: OverviewProps) {
  const { durationMs } = session;
  const gaps = useMemo(() => gapsByMark(session.gaps), [session.gaps]);
  const canvas = useRef<HTMLCanvasElement>(null);
  const strip = useRef<HTMLDivElement>(null);
  const { width } = useSize(strip);
  const theme = useThemeRevision();
  const buckets = Math.max(1, Math.floor(width / barPitch));
  const model = useMemo(() => buildOverview(timeline, durationMs, buckets), [timeline, durationMs, buckets]);
  const [hoverMs, setHoverMs] = useState<number>();
  const dragging = useRef(false);

  useEffect(() => {
    if (canvas.current && width > 0) {
      drawOverview(canvas.current, model, gaps, durationMs, overviewColours(canvas.current));
    }
  }, [model, gaps, durationMs, width, theme]);

  const msAt = (event: PointerEvent): number => {
    const box = strip.current?.getBoundingClientRect();
    return box && box.width > 0 ? clamp((event.clientX - box.left) / box.width, 0, 1) * durationMs : 0;
  };
  return (
    <div class="overview">
      <Slider playback={playback} durationMs={durationMs}>
        <div
          ref={strip}
          class="strip"
          onPointerDown={(event) => {
            if (event.button !== 0) return;
            dragging.current = true;
            event.currentTarget.setPointerCapture(event.pointerId);
            playback.seek(msAt(event));
          }}
          onPointerMove={(event) => {
            setHoverMs(msAt(event));
            if (dragging.current) playback.seek(msAt(event));
          }}
          onPointerUp={() => (dragging.current = false)}
          onPointerCancel={() => (dragging.current = false)}
          onPointerLeave={() => setHoverMs(undefined)}
        >
          <canvas ref={canvas} aria-hidden="true" />
          <Playhead playback={playback} durationMs={durationMs} width={width} />
          {hoverMs !== undefined && (
            <Hover hoverMs={hoverMs} durationMs={durationMs} width={width} screenshots={screenshots} />
          )}
        </div>
      </Slider>
      <Legend model={model} hasGaps={gaps.picture.length > 0} hasSoundGaps={gaps.sound.length > 0} />
    </div>
  );
}

function Slider(props: {
  readonly playback: Playback;
  readonly durationMs: number;
  readonly children: ComponentChildren;
}) {
  const { playback, durationMs } = props;
  const seconds = usePosition(playback, wholeSeconds);
  const onKeyDown = (event: KeyboardEvent): void => {
    const target = targetOf(event, playback.mediaMs, durationMs);
    if (target === undefined) return;
    event.preventDefault();
    playback.seek(target);
  };
  return (
    <div
      class="strip-slider"
      role="slider"
      tabIndex={0}
      data-testid="overview"
      aria-label="Position in the session"
      aria-valuemin={0}
      aria-valuemax={Math.floor(durationMs / 1000)}
      aria-valuenow={seconds}
      aria-valuetext={`${clockTime(seconds * 1000)} of ${clockTime(durationMs)}`}
      onKeyDown={onKeyDown}
    >
      {props.children}
    </div>
  );
}

function Playhead(props: { readonly playback: Playback; readonly durationMs: number; readonly width: number }) {
  const { durationMs, width } = props;
  // A tenth of a pixel is finer than anybody sees, and spares the frames in which nothing moves.
  const place = useCallback(
    (mediaMs: number) => (durationMs > 0 ? Math.round((mediaMs / durationMs) * width * 10) / 10 : 0),
    [durationMs, width],
  );
  const x = usePosition(props.playback, place);
  return <div class="playhead" style={{ transform: `translateX(${x}px)` }} />;
}

const hoverWidth = 168;

function Hover(props: {
  readonly hoverMs: number;
  readonly durationMs: number;
  readonly width: number;
  readonly screenshots: readonly TimelineScreenshot[];
}) {
  const x = props.durationMs > 0 ? (props.hoverMs / props.durationMs) * props.width : 0;
  const screenshot = screenshotAt(props.screenshots, props.hoverMs);
  const left = clamp(x - hoverWidth / 2, 0, Math.max(0, props.width - hoverWidth));
  return (
    <>
      <div class="hover-line" style={{ transform: `translateX(${x}px)` }} />
      <div class="hover" style={{ transform: `translateX(${left}px)` }}>
        {screenshot?.url !== undefined && <img src={screenshot.url} alt="" />}
        <span>{clockTime(props.hoverMs)}</span>
      </div>
    </>
  );
}

function Legend(props: { readonly model: OverviewModel; readonly hasGaps: boolean; readonly hasSoundGaps: boolean }) {
  const { files, hasOtherFiles, saves, screenshots, pauses } = props.model;
  return (
    <ul class="legend" aria-label="What the overview shows">
      {files.map((file, index) => (
        <li key={file.uri} title={file.path}>
          <i class={`swatch file-${index}`} />
          <span class="legend-name">{splitPath(file.path).name}</span>
        </li>
      ))}
      {hasOtherFiles && (
        <li>
          <i class="swatch file-other" />
          other files
        </li>
      )}
      <li class="spacer" />
      {screenshots.length > 0 && (
        <li>
          <i class="mark screenshot" />
          screenshot
        </li>
      )}
      {saves.length > 0 && (
        <li>
          <i class="mark save" />
          save
        </li>
      )}
      {pauses.length > 0 && (
        <li>
          <i class="mark pause" />
          pause
        </li>
      )}
      {props.hasGaps && (
        <li>
          <i class="mark gap" />
          not recorded
        </li>
      )}
      {props.hasSoundGaps && (
        <li>
          <i class="mark sound-gap" />
          no sound
        </li>
      )}
    </ul>
  );
}

function targetOf(event: KeyboardEvent, mediaMs: number, durationMs: number): number | undefined {
  const step = event.shiftKey ? 1000 : 5000;
  switch (event.key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return mediaMs - step;
    case 'ArrowRight':
    case 'ArrowUp':
      return mediaMs + step;
    case 'PageDown':
      return mediaMs - durationMs / 10;
    case 'PageUp':
      return mediaMs + durationMs / 10;
    case 'Home':
      return 0;
    case 'End':
      return durationMs;
    default:
      return undefined;
  }
}

function wholeSeconds(mediaMs: number): number {
  return Math.floor(mediaMs / 1000);
}
