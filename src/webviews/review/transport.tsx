/** The player's controls: play, jump, time, volume and full screen. */
import type { RefObject } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { IconButton } from '../common/controls.tsx';
import { clockTime } from '../common/format.ts';
import { usePersistedState } from '../common/usePersistedState.ts';
import { type ReviewPlayer, usePlaybackState, usePosition } from './usePlayback.ts';
import { jumpMs, muteToggled, toggleFullscreen } from './usePlayerKeys.ts';

export function Transport(props: {
  readonly player: ReviewPlayer;
  readonly durationMs: number;
  readonly hasSound: boolean;
  readonly soundBlocked: boolean;
  readonly picture: RefObject<HTMLDivElement | null>;
}) {
  const { playback } = props.player;
  const { playing, atEnd } = usePlaybackState(playback);
  const playLabel = playing ? 'Pause' : atEnd ? 'Play Again' : 'Play';
  const playIcon = playing ? 'debug-pause' : atEnd ? 'debug-restart' : 'play';
  return (
    <div class="transport" role="group" aria-label="Playback">
      <IconButton
        icon={playIcon}
        label={`${playLabel} (Space)`}
        onClick={() => playback.toggle()}
        testId="play"
        large
      />
      <IconButton icon="debug-step-back" label="Back 5 seconds (Left)" onClick={() => playback.jump(-jumpMs)} />
      <IconButton icon="debug-step-over" label="Forward 5 seconds (Right)" onClick={() => playback.jump(jumpMs)} />
      <Time player={props.player} durationMs={props.durationMs} />
      <span class="spacer" />
      {props.soundBlocked && <span class="no-sound">Sound is blocked: click Play</span>}
      <Volume player={props.player} hasSound={props.hasSound} />
      <Fullscreen picture={props.picture} />
    </div>
  );
}

function Time(props: { readonly player: ReviewPlayer; readonly durationMs: number }) {
  const now = usePosition(props.player.playback, clockTime);
  return (
    <span class="time" role="timer" aria-label={`${now} of ${clockTime(props.durationMs)}`} data-testid="time">
      <b>{now}</b>
      <span class="of">/</span>
      {clockTime(props.durationMs)}
    </span>
  );
}

function Volume(props: { readonly player: ReviewPlayer; readonly hasSound: boolean }) {
  const { sound } = props.player;
  const [volume, setVolume] = usePersistedState('volume', 1, parseVolume);
  const [muted, setMuted] = usePersistedState('muted', false, (kept) => (typeof kept === 'boolean' ? kept : undefined));
  useEffect(() => sound.setVolume(muted ? 0 : volume), [sound, muted, volume]);
  useEffect(() => {
    const onToggle = (): void => setMuted(!muted);
    window.addEventListener(muteToggled, onToggle);
    return () => window.removeEventListener(muteToggled, onToggle);
  }, [muted, setMuted]);
  if (!props.hasSound) return <span class="no-sound">No sound recorded</span>;
  const silent = muted || volume === 0;
  return (
    <div class="volume">
      <IconButton
        icon={silent ? 'mute' : 'unmute'}
        label={silent ? 'Unmute (M)' : 'Mute (M)'}
        onClick={() => setMuted(!muted)}
        testId="mute"
      />
      <input
        type="range"
        min="0"
        max="1"
        step="0.05"
        value={muted ? 0 : volume}
        aria-label="Volume"
        aria-valuetext={`${Math.round((muted ? 0 : volume) * 100)} %`}
        onInput={({ currentTarget }) => {
          setVolume(Number(currentTarget.value));
          setMuted(false);
        }}
      />
    </div>
  );
}

function Fullscreen(props: { readonly picture: RefObject<HTMLDivElement | null> }) {
  const [active, setActive] = useState(false);
  useEffect(() => {
    const onChange = (): void => setActive(document.fullscreenElement !== null);
    document.addEventListener('fullscreenchange', onChange);
    return () => document.removeEventListener('fullscreenchange', onChange);
  }, []);
  const toggle = useCallback(() => toggleFullscreen(props.picture.current), [props.picture]);
  // Some hosts do not let a webview fill the screen: a button that does nothing would be worse than none.
  if (!document.fullscreenEnabled) return null;
  return (
    <IconButton
      icon={active ? 'screen-normal' : 'screen-full'}
      label={active ? 'Leave Full Screen (F)' : 'Full Screen (F)'}
      onClick={toggle}
    />
  );
}

function parseVolume(kept: unknown): number | undefined {
  return typeof kept === 'number' && kept >= 0 && kept <= 1 ? kept : undefined;
}
