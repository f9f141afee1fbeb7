/** The player's keys, wherever the focus is, unless what has the focus needs the key itself. */
import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';
import type { ReviewPlayer } from './usePlayback.ts';

export const jumpMs = 5000;

/** Dispatched on the window: the volume control owns whether sound is muted. */
export const muteToggled = 'work-sessions:mute-toggled';

export function usePlayerKeys({ playback }: ReviewPlayer, picture: RefObject<HTMLDivElement | null>): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const action = actionOf(event.key);
      if (!action || isNeededBy(event.target, event.key)) return;
      event.preventDefault();
      action();
    };
    const actionOf = (key: string): (() => void) | undefined => {
      switch (key) {
        case ' ':
        case 'k':
          return () => playback.toggle();
        case 'ArrowLeft':
        case 'j':
          return () => playback.jump(-jumpMs);
        case 'ArrowRight':
        case 'l':
          return () => playback.jump(jumpMs);
        case 'm':
          return () => void window.dispatchEvent(new Event(muteToggled));
        case 'f':
          return () => toggleFullscreen(picture.current);
        default:
          return undefined;
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [playback, picture]);
}

export function toggleFullscreen(element: HTMLElement | null): void {
  const change = document.fullscreenElement ? document.exitFullscreen() : element?.requestFullscreen();
  change?.catch(() => undefined);
}

/** Buttons take the space bar, sliders take the arrows. */
function isNeededBy(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof Element)) return false;
  if (key === ' ') return target.closest('button, vscode-button, a, input, summary') !== null;
  return key.startsWith('Arrow') && target.closest('input, [role="slider"]') !== null;
}
