/** The activity log: numbers, times, batches, pauses, and a disk that refuses. */
import assert from 'node:assert/strict';
import type { ActivityEvent, ActivityEventBody } from '../../../src/shared/model/activity.ts';
import { SessionClock } from '../../../src/shared/sessionClock.ts';
import { ActivityLog } from '../../../src/extension/activity/activityLog.ts';
import type { ReportActivity } from '../../../src/extension/activity/activityObserver.ts';
import { deferred } from '../../../src/shared/deferred.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

const save: ActivityEventBody = { kind: 'save', file: { path: 'a.ts', uri: 'file:///a.ts' }, line: 0 };

describe('ActivityLog', () => {
  function setUp(append?: (events: readonly ActivityEvent[], written: (count: number) => void) => Promise<void>) {
    const clock = new ManualClock();
    const sessionClock = new SessionClock(clock.monotonicMs());
    const stored: ActivityEvent[] = [];
    const failures: unknown[] = [];
    let report: ReportActivity | undefined;
    let observing = 0;
    const log = new ActivityLog({
      clock,
      sessionClock,
      observers: [
        (given) => {
          report = given;
          observing++;
          return { dispose: () => observing-- };
        },
      ],
      append:
        append ??
        ((events) => {
          stored.push(...events);
          return Promise.resolve();
        }),
      onWriteFailed: (error) => failures.push(error),
    });
    const happens = () => report?.(save, clock.monotonicMs());
    return { clock, sessionClock, stored, failures, log, happens, observing: () => observing };
  }

  it('puts events on the session’s clock, numbered, at the moment they happened', async () => {
    const { clock, log, stored } = setUp();
    clock.advance(250);
    const happenedAtMs = clock.monotonicMs();
    clock.advance(40);
    log.record(save, happenedAtMs);
    log.record(save);
    await log.flush();
    assert.deepEqual(
      stored.map(({ offsetMs, sequenceNumber, timestamp }) => [offsetMs, sequenceNumber, timestamp.slice(17)]),
      [
        [250, 0, '01.250Z'],
        [290, 1, '01.290Z'],
      ],
    );
    log.dispose();
  });

  it('writes by itself, in one batch', async () => {
    const batches: number[] = [];
    const { promise, resolve } = deferred<void>();
    const { log, happens } = setUp((events) => {
      batches.push(events.length);
      resolve();
      return Promise.resolve();
    });
    happens();
    happens();
    happens();
    await promise;
    assert.deepEqual(batches, [3]);
    log.dispose();
  });

  it('takes nothing from the editor during a pause, but what the session itself says', async () => {
    const { clock, sessionClock, log, stored, happens } = setUp();
    sessionClock.pause(clock.monotonicMs());
    happens();
    log.record({ kind: 'problem', service: 'video', message: 'gone' });
    sessionClock.resume(clock.monotonicMs());
    happens();
    await log.flush();
    assert.deepEqual(
      stored.map(({ kind }) => kind),
      ['problem', 'save'],
    );
    log.dispose();
  });

  it('keeps what could not be written, in order and once, and complains once', async () => {
    const stored: ActivityEvent[] = [];
    let refusals = 2;
    const { log, happens, failures } = setUp((events, written) => {
      // The first half of the batch reaches the disk before it refuses.
      const accepted = refusals > 0 ? events.slice(0, 1) : events;
      stored.push(...accepted);
      written(accepted.length);
      return refusals-- > 0 ? Promise.reject(new Error('full')) : Promise.resolve();
    });
    happens();
    happens();
    await log.flush();
    happens();
    happens();
    await log.flush();
    await log.flush();
    assert.deepEqual(
      stored.map(({ sequenceNumber }) => sequenceNumber),
      [0, 1, 2, 3],
    );
    assert.equal(failures.length, 1);
    log.dispose();
  });

  it('bounds its memory when the disk refuses for ever, and counts what it let go', async () => {
    const { log } = setUp(() => Promise.reject(new Error('full')));
    for (let count = 0; count < 20_010; count++) log.record(save);
    assert.equal(log.recorded, 20_010);
    assert.equal(log.dropped, 10);
    log.dispose();
  });

  it('stops its observers', () => {
    const { log, observing } = setUp();
    assert.equal(observing(), 1);
    log.dispose();
    assert.equal(observing(), 0);
  });
});
