/** Which take belongs to which moment. */
import assert from 'node:assert/strict';
import { lastBegunAt, placeAt } from '../../../src/webviews/review/playback/mediaPlan.ts';

const takes = [
  { offsetMs: 500, durationMs: 1000 },
  { offsetMs: 2000, durationMs: 1000 },
];

describe('placeAt', () => {
  it('finds the take and the time within it', () => {
    assert.deepEqual(placeAt(takes, 600, 4000), { kind: 'take', index: 0, atMs: 100, untilMs: 1500 });
    assert.deepEqual(placeAt(takes, 2000, 4000), { kind: 'take', index: 1, atMs: 0, untilMs: 3000 });
  });

  it('finds the gap before, between and after the takes, and what comes next', () => {
    assert.deepEqual(placeAt(takes, 0, 4000), { kind: 'gap', fromMs: 0, untilMs: 500, next: 0 });
    assert.deepEqual(placeAt(takes, 1500, 4000), { kind: 'gap', fromMs: 1500, untilMs: 2000, next: 1 });
    assert.deepEqual(placeAt(takes, 3000, 4000), { kind: 'gap', fromMs: 3000, untilMs: 4000, next: undefined });
  });

  it('is one gap without any take', () => {
    assert.deepEqual(placeAt([], 10, 4000), { kind: 'gap', fromMs: 0, untilMs: 4000, next: undefined });
  });

  it('shows the later of two takes that overlap, and leaves the earlier one in time', () => {
    const overlapping = [
      { offsetMs: 0, durationMs: 1100 },
      { offsetMs: 1000, durationMs: 1000 },
    ];
    assert.deepEqual(placeAt(overlapping, 500, 2000), { kind: 'take', index: 0, atMs: 500, untilMs: 1000 });
    assert.deepEqual(placeAt(overlapping, 1050, 2000), { kind: 'take', index: 1, atMs: 50, untilMs: 2000 });
  });
});

describe('lastBegunAt', () => {
  it('finds the last item that has begun', () => {
    const items = [0, 10, 10, 20].map((offsetMs) => ({ offsetMs }));
    assert.equal(lastBegunAt(items, -1), -1);
    assert.equal(lastBegunAt(items, 0), 0);
    assert.equal(lastBegunAt(items, 10), 2);
    assert.equal(lastBegunAt(items, 19.9), 2);
    assert.equal(lastBegunAt(items, 999), 3);
    assert.equal(lastBegunAt([], 5), -1);
  });
});
