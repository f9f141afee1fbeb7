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

export function readSettings(): SessionSettings {
  const settings = vscode.workspace.getConfiguration('workSessions');
  return {
    videoEnabled: settings.get('video.enabled', true),
    fps: clamp(settings.get('video.fps', 15), 1, 60),
    quality: clamp(settings.get('video.quality', 0.6), 0.1, 1),
    display: settings.get('video.display', ''),
    systemSound: settings.get('audio.systemSound', true),
    microphone: settings.get('audio.microphone', true),
    screenshotsEnabled: settings.get('screenshots.enabled', true),
    screenshotIntervalMs: clamp(settings.get('screenshots.intervalSeconds', 10), 2, 3600) * 1000,
  };
}

/** settings.json can hold anything; the schema in package.json only warns. */
function clamp(value: unknown, least: number, most: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : least;
}
