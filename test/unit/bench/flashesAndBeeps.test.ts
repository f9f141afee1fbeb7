/** How the bench finds flashes and beeps, and which belong together. */
import assert from 'node:assert/strict';
import { nearest, onsets, rises } from '../../../bench/recorder/flashesAndBeeps.ts';

describe('Flashes and beeps of a recording', () => {
  it('begin where sound follows at least 200 ms of quiet', () => {
    const samples = new Int16Array(48_000 * 2);
    // Loud from 0.5 s to 0.6 s, with a pause of 0.1 s, and again at 1.5 s.
    samples.fill(10_000, 24_000, 28_800);
    samples.fill(-10_000, 33_600, 38_400);
    samples.fill(10_000, 72_000, 72_480);
    assert.deepEqual(onsets(samples), [500, 1500]);
  });

  it('begin where a dark picture turns bright, not where a recording begins bright', () => {
    const states = [true, false, true, true, false, true].map((isOn, at) => ({ atMs: at * 10, isOn }));
    assert.deepEqual(rises(states), [20, 50]);
  });

  it('belong together when nothing is nearer and they are less than 400 ms apart', () => {
    assert.equal(nearest([900, 2100, 2900], 2000), 2100);
    assert.equal(nearest([1000, 3000], 2000), undefined);
    assert.equal(nearest([], 0), undefined);
  });
});
