/** The bench's workload is repeatable: without that, two recorders are not measured on the same work. */
import assert from 'node:assert/strict';
import { seededRandom } from '../../../bench/workload/random.ts';
import { coloured } from '../../../bench/workload/source.ts';
import { type Stroke, strokes } from '../../../bench/workload/strokes.ts';

const size = { columns: 120, rows: 40 };

function firstMinute(seed: number): Stroke[] {
  const taken: Stroke[] = [];
  for (const stroke of strokes(seed, size)) {
    if (stroke.atMs >= 60_000) break;
    taken.push(stroke);
  }
  return taken;
}

/** Without the sequences that move and colour. */
function plain(text: string): string {
  // eslint-disable-next-line no-control-regex -- the terminal's escape codes are what is looked at
  return text.replaceAll(/\x1b\[[?\d;]*[A-Za-z]/g, '');
}

describe('The coding workload', () => {
  it('gives the same strokes at the same times for the same seed', () => {
    assert.deepEqual(firstMinute(7), firstMinute(7));
  });

  it('gives other strokes for another seed', () => {
    assert.notDeepEqual(firstMinute(7).slice(0, 20), firstMinute(8).slice(0, 20));
  });

  it('begins with a whole picture, and time never runs backwards', () => {
    const minute = firstMinute(1);
    assert.equal(minute[0]?.atMs, 0);
    assert.equal(minute[0].event?.kind, 'switch');
    assert.ok(minute.every(({ atMs }, index) => index === 0 || atMs >= (minute[index - 1]?.atMs ?? 0)));
  });

  it('types, reads, scrolls, builds and switches files within each minute, typing most of all', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const counts = new Map<string, number>();
      for (const { event } of firstMinute(seed)) if (event) counts.set(event.kind, (counts.get(event.kind) ?? 0) + 1);
      assert.deepEqual([...counts.keys()].sort(), ['build', 'read', 'scroll', 'switch', 'type']);
      assert.equal([...counts].sort(([, a], [, b]) => b - a)[0]?.[0], 'type');
    }
  });

  it('stays within the terminal', () => {
    for (const { write } of firstMinute(3)) {
      // eslint-disable-next-line no-control-regex -- the terminal's escape codes are what is looked at
      for (const [, row, column] of write.matchAll(/\x1b\[(\d+);(\d+)H/g)) {
        assert.ok(Number(row) >= 1 && Number(row) <= size.rows, `row ${row}`);
        assert.ok(Number(column) >= 1 && Number(column) <= size.columns, `column ${column}`);
      }
      // No line break: it would scroll the whole picture at the last row.
      assert.doesNotMatch(write, /\n/);
    }
  });

  it('stands still while somebody reads', () => {
    const minute = firstMinute(2);
    const reading = minute.findIndex(({ event }) => event?.kind === 'read');
    assert.notEqual(reading, -1);
    assert.deepEqual(
      minute.slice(reading, reading + 2).map(({ write }) => write),
      ['', ''],
    );
    assert.ok((minute[reading + 1]?.atMs ?? 0) - (minute[reading]?.atMs ?? 0) >= 900);
  });
});

describe('The source code on the screen', () => {
  it('is coloured without a character lost', () => {
    const line = "  if (tide > 4.5) throw new Error('No `berth` left.'); // 9 left";
    assert.equal(plain(coloured(line)), line);
    assert.notEqual(coloured(line), line);
  });
});

describe('Repeatable chance', () => {
  it('spreads evenly over a range and reaches both ends', () => {
    const random = seededRandom(42);
    const counts = new Map<number, number>();
    for (let count = 0; count < 6000; count++) {
      const value = random.between(1, 6);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    assert.deepEqual([...counts.keys()].sort(), [1, 2, 3, 4, 5, 6]);
    assert.ok([...counts.values()].every((count) => count > 850 && count < 1150));
  });
});
