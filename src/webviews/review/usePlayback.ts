/** Ties the media clock to the page: its frames, its element, its sound, and what components see of it. */
import { useEffect, useMemo, useReducer, useState } from 'preact/hooks';
import { Playback, type PlaybackState } from './playback/playback.ts';
import { SoundTrack } from './playback/soundTrack.ts';
import { WebAudioOutput } from './playback/webAudioOutput.ts';

export interface ReviewPlayer {
  readonly playback: Playback;
  readonly sound: SoundTrack;
}

/** The hidden page gets no frames; sound must go on being handed over all the same. */
const hiddenTickMs = 250;

export function createPlayer(onProblem: (message: string) => void): ReviewPlayer {
  const sound = new SoundTrack(new WebAudioOutput(), onProblem);
  return { sound, playback: new Playback(sound, () => performance.now(), onProblem) };
}

export function usePlaybackState(playback: Playback): PlaybackState {
  const [, rerender] = useReducer<number, undefined>((count) => count + 1, 0);
  useEffect(() => {
    // Changes between the first render and this effect would be lost otherwise.
    rerender(undefined);
    return playback.onState(() => rerender(undefined));
  }, [playback]);
  return playback.state;
}

/** The position turned into what a component shows; it renders again only when that changes. */
export function usePosition<T>(playback: Playback, show: (mediaMs: number) => T): T {
  const [shown, setShown] = useState(() => show(playback.mediaMs));
  useEffect(() => {
    setShown(() => show(playback.mediaMs));
    return playback.onPosition((mediaMs) => setShown(() => show(mediaMs)));
  }, [playback, show]);
  return shown;
}

/** Ticks for every frame while playing. */
export function useTicks(playback: Playback): void {
  const { playing } = usePlaybackState(playback);
  useEffect(() => {
    if (!playing) return undefined;
    let frame = requestAnimationFrame(function tick() {
      playback.tick();
      frame = requestAnimationFrame(tick);
    });
    const timer = setInterval(() => playback.tick(), hiddenTickMs);
    return () => {
      cancelAnimationFrame(frame);
      clearInterval(timer);
    };
  }, [playback, playing]);
}

export type HeardSound = 'playing' | 'silent' | 'none' | 'blocked';

/** What comes out of the loudspeaker, as measured at the output, not as intended. */
export function useHeardSound({ playback, sound }: ReviewPlayer): HeardSound {
  const { playing } = usePlaybackState(playback);
  const read = useMemo(
    () => (): HeardSound => {
      if (!sound.hasSound) return 'none';
      if (!playing) return 'silent';
      if (sound.isBlocked) return 'blocked';
      return sound.isHeard ? 'playing' : 'silent';
    },
    [sound, playing],
  );
  const [heard, setHeard] = useState<HeardSound>(read);
  useEffect(() => {
    setHeard(read());
    const timer = setInterval(() => setHeard(read()), hiddenTickMs);
    return () => clearInterval(timer);
  }, [read]);
  return heard;
}
