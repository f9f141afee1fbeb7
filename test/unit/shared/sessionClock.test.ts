/** Media time: pauses are left out, and time never runs backwards. */
import assert from 'node:assert/strict';
import { SessionClock } from '../../../src/shared/sessionClock.ts';

describe('SessionClock', () => {
  it('leaves pauses out', () => {
    const clock = new SessionClock(1000);
    assert.equal(clock.offsetAt(1500), 500);
    clock.pause(2000);
    assert.equal(clock.offsetAt(9000), 1000);
    assert.equal(clock.resume(5000), 3000);
    assert.equal(clock.offsetAt(5250), 1250);
    clock.pause(6000);
    assert.equal(clock.resume(6500), 500);
    assert.equal(clock.offsetAt(7500), 3000);
  });

  it('places a moment before a pause where it was, also while paused', () => {
    const clock = new SessionClock(1000);
    clock.pause(2000);
    assert.equal(clock.offsetAt(1700), 700);
  });

  it('is never negative, and knows a resume without a pause', () => {
    const clock = new SessionClock(1000);
    assert.equal(clock.offsetAt(900), 0);
    assert.equal(clock.resume(1200), 0);
    assert.equal(clock.offsetAt(1200), 200);
  });

  it('keeps the first of two pauses', () => {
    const clock = new SessionClock(0);
    clock.pause(100);
    clock.pause(200);
    assert.equal(clock.resume(300), 200);
  });
});
