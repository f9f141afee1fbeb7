/** From the user's settings to the library's configuration. Pure. */
import type { RecordedConfig } from '../../shared/model/sessionMetadata.ts';
import type { PermissionName, RecorderConfig, RecorderSources } from '../../shared/recorder/library.ts';
import type { SessionSettings } from '../platform/settings.ts';

/** What a session is going to record: the settings, less what turned out not to be possible. */
export interface RecordingPlan {
  readonly video: boolean;
  readonly screenshots: boolean;
  readonly systemSound: boolean;
  readonly microphone: boolean;
}

export function planOf(settings: SessionSettings): RecordingPlan {
  return {
    video: settings.videoEnabled,
    screenshots: settings.screenshotsEnabled,
    systemSound: settings.systemSound,
    microphone: settings.microphone,
  };
}

/** Only what the plan records is asked for. */
export function permissionsFor(plan: RecordingPlan): PermissionName[] {
  const names: PermissionName[] = [];
  if (plan.video || plan.screenshots) names.push('screen');
  if (plan.microphone) names.push('microphone');
  return names;
}

export function isEmptyPlan(plan: RecordingPlan): boolean {
  return !(plan.video || plan.screenshots || plan.systemSound || plan.microphone);
}

export function recordedConfigOf(plan: RecordingPlan): RecordedConfig {
  return {
    screenshotsEnabled: plan.screenshots,
    audioEnabled: plan.systemSound || plan.microphone,
    videoEnabled: plan.video,
    sourceType: 'display',
  };
}

/** The display that the settings name, else the primary one; nothing when there is none. */
export function chooseDisplay({ displays }: RecorderSources, wanted: string): string | undefined {
  return (displays.find(({ id }) => id === wanted) ?? displays.find(({ primary }) => primary) ?? displays[0])?.id;
}

export function recorderConfigOf(
  plan: RecordingPlan,
  settings: SessionSettings,
  target: { sessionId: string; outputDirectory: string; displayId: string | undefined },
): RecorderConfig {
  const { sessionId, outputDirectory, displayId } = target;
  return {
    sessionId,
    outputDirectory,
    video: {
      enabled: plan.video,
      fps: settings.fps,
      maxWidth: 1920,
      fragmentMs: 2000,
      quality: settings.quality,
      layout: 'single',
      sources: displayId === undefined ? [] : [{ id: 'screen', type: 'display', targetId: displayId }],
      excludedWindowIds: [],
      excludedApps: [],
      showCursor: true,
    },
    audio: {
      enabled: plan.systemSound || plan.microphone,
      microphone: plan.microphone ? 'default' : null,
      systemAudio: plan.systemSound,
      balance: 0.5,
      segmentMs: 30_000,
      sampleRate: 48_000,
    },
    screenshots: { enabled: plan.screenshots, format: 'png', maxWidth: 1920 },
  };
}
