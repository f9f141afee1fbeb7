/** What the overview draws, which row is current, and how times are written. */
import assert from 'node:assert/strict';
import { formatLength } from '../../../src/shared/formatDuration.ts';
import type { RecordingGap } from '../../../src/shared/model/video.ts';
import type { TimelineItem } from '../../../src/shared/timeline.ts';
import { clockTime, lengthInWords, splitPath } from '../../../src/webviews/common/format.ts';
import {
  buildOverview,
  colouredFiles,
  gapAt,
  gapsByMark,
  screenshotAt,
} from '../../../src/webviews/review/overviewModel.ts';
import { currentIndex, parseHiddenKinds, visibleItems } from '../../../src/webviews/review/timelineModel.ts';

const edit = (offsetMs: number, path: string, characters: number, endOffsetMs = offsetMs): TimelineItem => ({
  kind: 'edit',
  id: `${path}${offsetMs}`,
  offsetMs,
  endOffsetMs,
  file: { path, uri: `file:///${path}` },
  startLine: 0,
  endLine: 0,
  charactersAdded: characters,
  charactersRemoved: 0,
});
const save = (id: string, offsetMs: number): TimelineItem => ({
  kind: 'save',
  id,
  offsetMs,
  file: { path: 'a.ts', uri: 'file:///a.ts' },
  line: 0,
});

describe('buildOverview', () => {
  it('stacks the files of a bucket and gives the busiest one full height', () => {
    const { bars } = buildOverview([edit(0, 'a', 10), edit(10, 'b', 10), edit(900, 'a', 5)], 1000, 10);
    const first = bars.filter(({ bucket }) => bucket === 0);
    assert.equal(first.length, 2);
    assert.ok(Math.abs(first.reduce((sum, { height }) => sum + height, 0) - 1) < 1e-9);
    assert.ok((bars.find(({ bucket }) => bucket === 9)?.height ?? 1) < 1);
  });

  it('spreads a burst over the time it took', () => {
    const { bars } = buildOverview([edit(0, 'a', 100, 499)], 1000, 10);
    assert.deepEqual(
      bars.map(({ bucket }) => bucket),
      [0, 1, 2, 3, 4],
    );
  });

  it('colours the most edited files and shares one colour among the others', () => {
    const items = ['a', 'b', 'c', 'd', 'e', 'f'].map((path, index) => edit(index * 100, path, 10 * (index + 1)));
    const { files, hasOtherFiles, bars } = buildOverview(items, 1000, 10);
    assert.deepEqual(
      files.map(({ path }) => path),
      ['f', 'e', 'd', 'c'],
    );
    assert.equal(files.length, colouredFiles);
    assert.ok(hasOtherFiles && bars.filter(({ file }) => file === -1).length === 2);
  });

  it('is empty for a session of no length', () => {
    assert.doesNotThrow(() => buildOverview([edit(0, 'a', 1)], 0, 10));
  });
});

describe('gaps', () => {
  const gap = (service: RecordingGap['service']): RecordingGap => ({ service, fromMs: 0, toMs: 9, reason: service });
  const gaps = (['audio', 'screenshots', 'activity', 'video', 'recorder'] as const).map(gap);

  it('count as not recorded where there is no picture; a gap of sound has a mark of its own', () => {
    const { picture, sound } = gapsByMark(gaps);
    assert.deepEqual(
      [picture, sound].map((marked) => marked.map(({ service }) => service)),
      [['video', 'recorder'], ['audio']],
    );
  });

  it('say why there is no picture, never that there is none where only sound is absent', () => {
    assert.equal(gapAt(gaps, 5)?.reason, 'video');
    assert.equal(gapAt([gap('audio')], 5), undefined);
    assert.equal(gapAt([{ ...gap('video'), sourceId: 'camera' }], 5), undefined);
  });
});

describe('screenshotAt', () => {
  it('is the last one before the moment, or the first of all', () => {
    const shots = [100, 200].map((offsetMs) => ({
      kind: 'screenshot' as const,
      id: String(offsetMs),
      offsetMs,
      width: 1,
      height: 1,
    }));
    assert.equal(screenshotAt(shots, 0)?.id, '100');
    assert.equal(screenshotAt(shots, 199)?.id, '100');
    assert.equal(screenshotAt(shots, 5000)?.id, '200');
    assert.equal(screenshotAt([], 0), undefined);
  });
});

describe('currentIndex', () => {
  const items = [save('a', 0), save('b', 100), save('c', 100), save('d', 200)];
  it('is the last row that has begun', () => {
    assert.equal(currentIndex(items, 150), 2);
  });
  it('is the row that was chosen among those of one moment, until the next one begins', () => {
    const chosen = { id: 'b', offsetMs: 100 };
    assert.equal(currentIndex(items, 100, chosen), 1);
    assert.equal(currentIndex(items, 250, chosen), 3);
  });
});

describe('timeline filters', () => {
  it('hide kinds, and survive what an older version kept', () => {
    assert.deepEqual(visibleItems([save('a', 0), edit(1, 'a', 1)], new Set(['save'])).length, 1);
    assert.deepEqual(parseHiddenKinds(['save', 'weather', 4]), ['save']);
    assert.equal(parseHiddenKinds('save'), undefined);
  });
});

describe('formats', () => {
  it('writes clock times', () => {
    assert.deepEqual([0, 7000, 754_000, 3_723_000].map(clockTime), ['0:00', '0:07', '12:34', '1:02:03']);
  });
  it('writes lengths in words', () => {
    const lengths = [38_000, 60_000, 95_000, 3_599_000, 3_600_000, 3_900_000, 7_199_000];
    assert.deepEqual(lengths.map(lengthInWords), ['38 s', '1 min', '1 min 35 s', '1 h', '1 h', '1 h 5 min', '2 h']);
  });
  it('says the same seconds as the clock beside it', () => {
    assert.deepEqual([54_900, 59_999, 125_999].map(lengthInWords), ['54 s', '59 s', '2 min 5 s']);
    assert.deepEqual([54_900, 59_999].map(formatLength), ['54 s', '59 s']);
  });
  it('splits paths', () => {
    assert.deepEqual(splitPath('src/lib/a.ts'), { name: 'a.ts', folder: 'src/lib' });
    assert.deepEqual(splitPath('a.ts'), { name: 'a.ts', folder: '' });
  });
});
