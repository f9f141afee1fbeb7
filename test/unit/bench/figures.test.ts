/** What the bench reads of the kernel, of ffmpeg and of its command line. */
import assert from 'node:assert/strict';
import { chooseBenches } from '../../../bench/benches.ts';
import { parseFlags } from '../../../bench/flags.ts';
import { parseProgress } from '../../../bench/recorder/ffmpeg.ts';
import { meanSimilarity } from '../../../bench/recorder/quality.ts';
import { childNamed, cpuSeconds, parseCpuSeconds, peakMegabytes } from '../../../bench/recorder/processFigures.ts';

describe('Figures of a process', () => {
  it('add its own time and that of its children, whatever the program is called', () => {
    const stat = '4242 (a) b (c) S 1 4242 4242 0 -1 4194560 900 0 0 0 150 50 20 5 20 0 7 0 1000 5000 600';
    assert.equal(parseCpuSeconds(stat), 2.25);
    assert.throws(() => parseCpuSeconds('4242 (node) S 1'), /Not a line/);
  });

  it('are read of a living process', () => {
    const before = cpuSeconds(process.pid);
    const until = performance.now() + 60;
    while (performance.now() < until);
    assert.ok(cpuSeconds(process.pid) > before);
    assert.ok(peakMegabytes(process.pid) > 10);
  });

  it('are refused for a child that there is not', () => {
    assert.throws(() => childNamed('no-such-program-here'), /No child process runs no-such-program-here/);
  });
});

describe('The progress of ffmpeg', () => {
  it('is what its last report says', () => {
    const output =
      'frame=7\ndrop_frames=0\nprogress=continue\nframe=  900\ndup_frames=1\ndrop_frames=2\nprogress=end\n';
    assert.deepEqual(parseProgress(output), { frames: 900, dropped: 2 });
  });

  it('is missed where there is none', () => {
    assert.throws(() => parseProgress('Cannot open display'), /did not report/);
  });
});

describe('The similarity to a lossless capture', () => {
  it('is the mean over all planes of all frames', () => {
    const line = (all: number): string => `n:1 Y:0.5 U:0.5 V:0.5 All:${all} (20.0)\n`;
    assert.equal(meanSimilarity(line(0.75) + line(1)), 0.875);
    assert.throws(() => meanSimilarity(''), /No frames/);
  });
});

describe('The command line of the bench', () => {
  it('measures everything for a minute on three seeds when nothing is said', () => {
    const all = { names: [], json: undefined, vsix: undefined, seconds: 60, seeds: [1, 2, 3], long: false };
    assert.deepEqual(parseFlags([]), all);
  });

  it('takes names, a file, a duration and seeds', () => {
    const flags = parseFlags(['recorder', '--json', 'out.json', '--seconds', '10', '--seeds', '4, 5', '--long']);
    assert.deepEqual(flags, {
      names: ['recorder'],
      json: 'out.json',
      vsix: undefined,
      seconds: 10,
      seeds: [4, 5],
      long: true,
    });
  });

  it('refuses what is no duration and no seed', () => {
    assert.throws(() => parseFlags(['--seconds', 'long']), /--seconds takes/);
    assert.throws(() => parseFlags(['--seeds', '1,,2']), /--seeds takes/);
  });

  it('chooses benches by name, all without one, and names them when one is unknown', () => {
    assert.deepEqual(
      chooseBenches([]).map(([name]) => name),
      ['activation', 'start', 'recorder', 'sync', 'media'],
    );
    assert.deepEqual(
      chooseBenches(['start']).map(([name]) => name),
      ['start'],
    );
    assert.throws(() => chooseBenches(['speed']), /no bench "speed".*activation, start, recorder, sync, media/);
  });
});
