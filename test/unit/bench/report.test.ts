/** Rows and table of the bench: what is said of a measurement is what was measured. */
import assert from 'node:assert/strict';
import { atLeast, atMost, atMostOfPeer, measuredRow, under } from '../../../bench/report/rows.ts';
import { median, summarize } from '../../../bench/report/statistics.ts';
import { tableOf } from '../../../bench/report/table.ts';

describe('The median', () => {
  it('is the middle one of an odd count, whatever their order', () => {
    assert.equal(median([30, 1, 2]), 2);
  });

  it('lies between the two middle ones of an even count', () => {
    assert.equal(median([4, 1, 3, 100]), 3.5);
  });

  it('is refused where nothing was measured', () => {
    assert.throws(() => median([]), /Nothing was measured/);
    assert.throws(() => summarize([]), /Nothing was measured/);
  });

  it('comes with the range, by value and not by text', () => {
    assert.deepEqual(summarize([100, 9, 20]), { median: 20, min: 9, max: 100, count: 3 });
  });
});

describe('A row of the bench', () => {
  const base = { what: 'CPU', unit: 'cores' };

  it('has the medians, their ratio and whether the goal holds', () => {
    const { row } = measuredRow({ ...base, ours: [1, 3, 2], peer: [8, 4, 6], goal: atMostOfPeer(0.5, 'ffmpeg') });
    const expected = { ours: 2, peer: 6, ratio: 0.3333, goal: 'at most half of ffmpeg', holds: true };
    assert.deepEqual(row, { ...base, ...expected });
  });

  it('says null where there is no peer and no goal', () => {
    const { row } = measuredRow({ ...base, ours: [7] });
    assert.deepEqual(row, { ...base, ours: 7, peer: null, ratio: null, goal: null, holds: null });
  });

  it('has no ratio to a peer of 0, and a goal of a share does not hold then', () => {
    const { row } = measuredRow({ ...base, ours: [1], peer: [0], goal: atMostOfPeer(0.5, 'ffmpeg') });
    assert.equal(row.ratio, null);
    assert.equal(row.holds, false);
  });

  it('judges by what was measured, not by the rounded figure', () => {
    const { row } = measuredRow({ ...base, ours: [150.004], goal: atMost(150, 'MB') });
    assert.equal(row.ours, 150);
    assert.equal(row.holds, false);
  });

  it('knows "at most" from "under"', () => {
    assert.equal(measuredRow({ ...base, ours: [5], goal: atMost(5, 'ms') }).row.holds, true);
    assert.equal(measuredRow({ ...base, ours: [5], goal: under(5, 'ms') }).row.holds, false);
    assert.equal(measuredRow({ ...base, ours: [5], goal: atLeast(5) }).row.holds, true);
    assert.equal(measuredRow({ ...base, ours: [4.9], goal: atLeast(5) }).row.holds, false);
  });

  it('notes how far the runs lay apart', () => {
    const { note } = measuredRow({ ...base, ours: [0.12345, 0.2], peer: [1234.5] });
    assert.equal(note, 'ours 0.123–0.2 (2), peer 1235–1235 (1)');
  });
});

describe('The table of the bench', () => {
  it('aligns its columns and shows a dash for what there is not', () => {
    const rows = [
      measuredRow({ what: 'short', unit: 'ms', ours: [1] }),
      measuredRow({ what: 'a longer name', unit: 'ms', ours: [1000], peer: [500], goal: under(10, 'ms') }),
    ];
    const lines = tableOf(rows).split('\n');
    assert.equal(lines.length, 4);
    assert.match(lines[2] ?? '', /^short {10,}1 +– +ms +– +– +– +ours 1–1 \(1\)$/);
    assert.match(lines[3] ?? '', /^a longer name +1000 +500 +ms +2 +under 10 ms +NO /);
    const columns = lines.slice(1).map((line) => line.search(/ours|─+$/));
    assert.equal(new Set(columns).size, 1);
  });
});
