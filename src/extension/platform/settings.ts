/** The settings, typed: one place that knows their names. */
import * as vscode from 'vscode';

export interface SessionSettings {
  readonly videoEnabled: boolean;
  readonly fps: number;
  /** 0.1 to 1. */
  readonly quality: number;
  /** Empty for the primary display. */
  readonly display: string;
  readonly systemSound: boolean;
  readonly microphone: boolean;
  readonly screenshotsEnabled: boolean;
  readonly screenshotIntervalMs: number;
}

/** A value of the wrong type counts as not set, and is told in words; a number out of range as the nearest in it. */
export function readSettings(onInvalid: (message: string) => void): SessionSettings {
  const settings = vscode.workspace.getConfiguration('workSessions');
  const get = <T extends boolean | number | string>(name: string, fallback: T): T => {
    const value = settings.get<unknown>(name) ?? fallback;
    if (isLike(value, fallback)) return value;
    onInvalid(
      vscode.l10n.t(
        'The setting "workSessions.{0}" is not a {1}: {2} is used.',
        name,
        typeof fallback,
        JSON.stringify(fallback),
      ),
    );
    return fallback;
  };
  return {
    videoEnabled: get('video.enabled', true),
    fps: Math.round(clamp(get('video.fps', 15), 1, 60)),
    quality: clamp(get('video.quality', 0.6), 0.1, 1),
    display: get('video.display', ''),
    systemSound: get('audio.systemSound', true),
    microphone: get('audio.microphone', true),
    screenshotsEnabled: get('screenshots.enabled', true),
    screenshotIntervalMs: clamp(get('screenshots.intervalSeconds', 10), 2, 3600) * 1000,
  };
}

/** settings.json can hold anything; the schema in package.json only warns. */
function isLike<T extends boolean | number | string>(value: unknown, example: T): value is T {
  return typeof value === typeof example && !Number.isNaN(value);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
