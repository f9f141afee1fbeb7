/** What says "recording" advances, or it is said within five seconds that it does not. */
import assert from 'node:assert/strict';
import type { MediaService, RecorderStatus, ServiceStatus } from '../../../src/shared/recorder/library.ts';
import { ProgressWatch } from '../../../src/extension/session/progressWatch.ts';

describe('ProgressWatch', () => {
  const statusOf = (
    services: Partial<Record<MediaService, Partial<ServiceStatus>>>,
    state: RecorderStatus['state'] = 'recording',
  ): RecorderStatus => ({
    state,
    offsetMs: 0,
    monotonicMs: 0,
    layout: 'single',
    sources: [],
    services: Object.fromEntries(
      Object.entries(services).map(([service, changes]) => [
        service,
        {
          state: 'active',
          health: 'healthy',
          errorCount: 0,
          bytesOnDisk: 0,
          metrics: { itemsRecorded: 0, droppedItems: 0, averageLatencyMs: 0 },
          ...changes,
        },
      ]),
    ),
  });

  it('is content while bytes advance, however slowly', () => {
    const watch = new ProgressWatch();
    for (let second = 0; second < 60; second++) {
      const bytesOnDisk = Math.floor(second / 2);
      assert.equal(watch.look(statusOf({ video: { bytesOnDisk } }), second * 1000).video?.health, 'healthy');
    }
  });

  it('is content while a still screen’s last frame is synced again and again, without a byte more', () => {
    const watch = new ProgressWatch();
    for (let second = 0; second < 60; second++) {
      const video = { bytesOnDisk: 9, lastActivityMonotonicMs: 2000 * Math.floor(second / 2) };
      assert.equal(watch.look(statusOf({ video }), second * 1000).video?.health, 'healthy');
    }
    const video = { bytesOnDisk: 9, lastActivityMonotonicMs: 58_000 };
    assert.equal(watch.look(statusOf({ video }), 63_000).video?.health, 'degraded');
  });

  it('tells within five seconds that nothing was written, with looks every two seconds', () => {
    const watch = new ProgressWatch();
    const health = [0, 2, 4].map((second) =>
      watch.look(statusOf({ video: { bytesOnDisk: 9 }, audio: { bytesOnDisk: second } }), second * 1000),
    );
    assert.equal(health[1]?.video?.health, 'healthy');
    assert.equal(health[2]?.video?.health, 'degraded');
    assert.match(health[2].video.message ?? '', /4 seconds/);
    assert.equal(health[2].audio?.health, 'healthy');
  });

  it('counts from the moment of the last progress, not from the look that saw it', () => {
    const watch = new ProgressWatch();
    // The recorder's clock is 100 s ahead of ours; the last sync was at its 101.0 s.
    const look = (second: number) => {
      const video = { bytesOnDisk: 9, lastActivityMonotonicMs: second < 1 ? 100_000 : 101_000 };
      return watch.look({ ...statusOf({ video }), monotonicMs: 100_000 + second * 1000 }, second * 1000).video;
    };
    assert.deepEqual(
      [0, 2.9, 3.9, 4.1].map((second) => look(second)?.health),
      [...['healthy', 'healthy', 'healthy'], 'degraded'],
    );
  });

  it('is content again when bytes advance again', () => {
    const watch = new ProgressWatch();
    watch.look(statusOf({ audio: { bytesOnDisk: 1 } }), 0);
    assert.equal(watch.look(statusOf({ audio: { bytesOnDisk: 1 } }), 6000).audio?.health, 'degraded');
    assert.equal(watch.look(statusOf({ audio: { bytesOnDisk: 2 } }), 7000).audio?.health, 'healthy');
  });

  it('expects nothing during a pause, nor for its length after it', () => {
    const watch = new ProgressWatch();
    watch.look(statusOf({ video: { bytesOnDisk: 1 } }), 0);
    assert.equal(
      watch.look(statusOf({ video: { bytesOnDisk: 1 } }, 'paused'), 60_000, 'paused').video?.state,
      'paused',
    );
    assert.equal(watch.look(statusOf({ video: { bytesOnDisk: 1 } }), 61_000).video?.health, 'healthy');
  });

  it('says that the recorder does something else than the session shows', () => {
    const watch = new ProgressWatch();
    const services = { video: { bytesOnDisk: 1 } };
    assert.match(watch.look(statusOf(services), 0, 'paused').video?.message ?? '', /still records/);
    assert.match(watch.look(statusOf(services, 'paused'), 0, 'recording').video?.message ?? '', /does not record/);
    assert.equal(watch.look(statusOf(services, 'paused'), 0, 'changing').video?.health, 'healthy');
  });

  it('expects no progress of screenshots, which come when they are asked for', () => {
    const watch = new ProgressWatch();
    watch.look(statusOf({ screenshots: {} }), 0);
    assert.equal(watch.look(statusOf({ screenshots: {} }), 60_000).screenshots?.health, 'healthy');
  });

  it('passes on what the recorder says goes wrong in part, until it is well again', () => {
    const watch = new ProgressWatch();
    const error = { code: 'sourceLost', message: 'Source “b”: the window was closed.' };
    const lost = watch.look(statusOf({ video: { bytesOnDisk: 1, health: 'degraded', error } }), 0);
    assert.deepEqual(lost.video, { state: 'active', health: 'degraded', message: error.message });
    assert.equal(watch.look(statusOf({ video: { bytesOnDisk: 2 } }), 1000).video?.health, 'healthy');
    const failed = { state: 'error', health: 'failed', error } as const;
    assert.equal(watch.look(statusOf({ video: failed }), 2000).video?.health, 'failed');
    assert.equal(watch.look(statusOf({ video: { bytesOnDisk: 3 } }), 3000).video?.health, 'healthy');
  });

  it('passes on a failure in the recorder’s words, and is silent of what is not recorded', () => {
    const error = { code: 'diskFull', message: 'The disk is full.' };
    const found = new ProgressWatch().look(
      statusOf({ video: { state: 'error', health: 'failed', error }, audio: { state: 'idle' } }),
      0,
    );
    assert.deepEqual(found, { video: { state: 'error', health: 'failed', message: 'The disk is full.' } });
  });
});
