/** Watches progress, not promises: says which recording service has stopped advancing. Pure; time is a parameter. */
import {
  type MediaService,
  type RecorderStatus,
  type ServiceStatus,
  mediaServices,
} from '../../shared/recorder/library.ts';

/** With a look every two seconds, a service that stopped is told of within five. */
export const stalledAfterMs = 3000;

export interface ServiceHealth {
  readonly state: 'active' | 'paused' | 'stopped' | 'error';
  readonly health: 'healthy' | 'degraded' | 'failed';
  /** What is wrong, in words. */
  readonly message?: string;
}

/** What the recorder should be doing; `changing` while a call that changes it is under way. */
export type ExpectedMode = 'recording' | 'paused' | 'changing';

export class ProgressWatch {
  readonly #last = new Map<MediaService, { bytes: number; activityMs: number; sinceMs: number }>();

  /** The health of the services at a moment; screenshots advance only when one is asked for, so they never stall. */
  look(
    status: RecorderStatus,
    nowMs: number,
    expected: ExpectedMode = 'recording',
  ): Partial<Record<MediaService, ServiceHealth>> {
    const found: Partial<Record<MediaService, ServiceHealth>> = {};
    const disagreement = disagreementOf(status.state, expected);
    for (const service of mediaServices) {
      const reported = status.services[service];
      if (!reported || reported.state === 'idle') continue;
      if (reported.state === 'error' || reported.health === 'failed') {
        found[service] = { state: 'error', health: 'failed', message: reported.error?.message ?? 'It stopped.' };
      } else if (disagreement) {
        found[service] = { state: 'active', health: 'degraded', message: disagreement };
      } else if (status.state === 'paused') {
        this.#last.delete(service);
        found[service] = { state: 'paused', health: 'healthy' };
      } else {
        const progress = this.#progressOf(service, reported, status.monotonicMs, nowMs);
        const degraded = reported.health === 'degraded' && progress.health === 'healthy';
        const message = reported.error?.message ?? 'Part of it stopped.';
        found[service] = degraded ? { state: 'active', health: 'degraded', message } : progress;
      }
    }
    return found;
  }

  /** A still screen adds no bytes: then the recorder syncs how long its last frame lasts, and says when it did. */
  #progressOf(service: MediaService, reported: ServiceStatus, askedAtMs: number, nowMs: number): ServiceHealth {
    const bytes = reported.bytesOnDisk;
    const activityMs = reported.lastActivityMonotonicMs ?? 0;
    const last = this.#last.get(service);
    if (!last || bytes !== last.bytes || activityMs !== last.activityMs) {
      // When it was, not when it was seen; but nothing counts as idle before it was first looked at.
      const agoMs = activityMs > 0 ? Math.max(0, askedAtMs - activityMs) : 0;
      this.#last.set(service, { bytes, activityMs, sinceMs: last ? Math.max(last.sinceMs, nowMs - agoMs) : nowMs });
    }
    const sinceMs = this.#last.get(service)?.sinceMs ?? nowMs;
    if (service !== 'screenshots' && nowMs - sinceMs >= stalledAfterMs) {
      const seconds = Math.round((nowMs - sinceMs) / 1000);
      return { state: 'active', health: 'degraded', message: `Nothing was written for ${seconds} seconds.` };
    }
    return { state: 'active', health: 'healthy' };
  }
}

/** What the status bar claims and what the recorder does must be one. */
function disagreementOf(actual: RecorderStatus['state'], expected: ExpectedMode): string | undefined {
  if (expected === 'changing' || actual === expected) return undefined;
  if (expected === 'paused') return 'The recorder still records although the session is paused: end the session.';
  return `The recorder does not record: it is ${actual}.`;
}
