/** Settings that record everything there is. */
import type { SessionSettings } from '../../src/extension/platform/settings.ts';

export const everySetting: SessionSettings = {
  videoEnabled: true,
  fps: 15,
  quality: 0.6,
  display: '',
  systemSound: true,
  microphone: true,
  screenshotsEnabled: true,
  screenshotIntervalMs: 600_000,
};
