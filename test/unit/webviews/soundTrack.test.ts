/** What is loaded, what is forgotten, and when each segment is handed to the output. */
import assert from 'node:assert/strict';
import {
  type DecodedSound,
  type SoundOutput,
  type SoundSegment,
  SoundTrack,
  type StartedSound,
} from '../../../src/webviews/review/playback/soundTrack.ts';
import { soundWindowAt } from '../../../src/webviews/review/playback/soundWindow.ts';

const segmentMs = 10_000;
const segmentsOf = (count: number): SoundSegment[] =>
  Array.from({ length: count }, (_, index) => ({
    url: `s${index}`,
    offsetMs: index * segmentMs,
    durationMs: segmentMs,
    isEmpty: false,
  }));

class FakeOutput implements SoundOutput {
  currentTime = 100;
  latency = 0;
  running = true;
  readonly started: { url: string; when: number; offset: number; stopped: boolean }[] = [];
  readonly asked: string[] = [];
  failing = new Set<string>();
  async resume(): Promise<void> {
    this.running = true;
  }
  async load(url: string): Promise<DecodedSound & { url: string }> {
    this.asked.push(url);
    if (this.failing.has(url)) throw new Error('not a WAV');
    return { duration: segmentMs / 1000, url };
  }
  start(sound: DecodedSound, when: number, offset: number): StartedSound {
    const entry = { url: (sound as DecodedSound & { url: string }).url, when, offset, stopped: false };
    this.started.push(entry);
    return { stop: () => void (entry.stopped = true) };
  }
  setVolume(): void {}
  peak(): number {
    return 0;
  }
  close(): void {}
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function loaded(count = 20, at = 0): Promise<{ output: FakeOutput; track: SoundTrack; problems: string[] }> {
  const output = new FakeOutput();
  const problems: string[] = [];
  const track = new SoundTrack(output, (message) => problems.push(message));
  track.setSegments(segmentsOf(count));
  track.prepare(at);
  await settle();
  return { output, track, problems };
}

describe('soundWindowAt', () => {
  const none = new Set<number>();
  it('loads the three segments from the playhead first, then two at a time', () => {
    assert.deepEqual(soundWindowAt(segmentsOf(20), 35_000, none, none, none).load, [3, 4, 5]);
    assert.deepEqual(soundWindowAt(segmentsOf(20), 35_000, new Set([3, 4, 5]), none, none).load, [6, 7]);
    assert.deepEqual(soundWindowAt(segmentsOf(20), 35_000, new Set([3, 4, 5]), new Set([6]), none).load, [7]);
  });

  it('forgets what the playhead has left behind, and gives up loads that it jumped away from', () => {
    const window = soundWindowAt(segmentsOf(20), 150_000, new Set([1, 13, 14]), new Set([2]), none);
    assert.deepEqual(window.drop, [1, 13, 2]);
    assert.deepEqual(window.load, [15, 16]);
  });

  it('passes over silent and failed segments', () => {
    assert.deepEqual(soundWindowAt(segmentsOf(5), 0, none, none, new Set([0, 2])).load, [1, 3, 4]);
  });
});

describe('SoundTrack', () => {
  it('keeps a bounded number of segments in memory however long the session plays', async () => {
    const { track } = await loaded(200);
    for (let at = 0; at < 200 * segmentMs; at += segmentMs / 2) {
      track.prepare(at);
      await settle();
      assert.ok(track.heldSegments <= 6, `${track.heldSegments} held at ${at}`);
    }
  });

  it('starts inside the segment of the playhead and joins the next one without a seam', async () => {
    const { output, track } = await loaded();
    track.follow(4000);
    assert.deepEqual(output.started.slice(0, 2), [
      { url: 's0', when: 100, offset: 4, stopped: false },
      { url: 's1', when: 106, offset: 0, stopped: false },
    ]);
  });

  it('joins exactly where recorded places are rounded', async () => {
    const output = new FakeOutput();
    const track = new SoundTrack(output, () => undefined);
    track.setSegments([
      { url: 'a', offsetMs: 0, durationMs: segmentMs, isEmpty: false },
      { url: 'b', offsetMs: segmentMs + 3, durationMs: segmentMs, isEmpty: false },
    ]);
    track.prepare(0);
    await settle();
    track.follow(0);
    assert.equal(output.started[1]?.when, 110);
  });

  it('leaves a real gap between segments silent', async () => {
    const output = new FakeOutput();
    const track = new SoundTrack(output, () => undefined);
    track.setSegments([
      { url: 'a', offsetMs: 0, durationMs: segmentMs, isEmpty: false },
      { url: 'b', offsetMs: 15_000, durationMs: segmentMs, isEmpty: false },
    ]);
    track.prepare(0);
    await settle();
    track.follow(0);
    assert.equal(output.started[1]?.when, 115);
  });

  it('lets drift of 40 ms pass and corrects more, once it is seen twice', async () => {
    const { output, track } = await loaded();
    track.follow(0);
    output.currentTime += 1;
    track.follow(1000 - 39);
    track.follow(1000 - 39);
    assert.equal(
      output.started.some(({ stopped }) => stopped),
      false,
    );
    track.follow(1000 - 60);
    assert.equal(
      output.started.some(({ stopped }) => stopped),
      false,
    );
    output.started.length = 0;
    track.follow(1000 - 60);
    assert.equal(output.started.at(0)?.when, 101);
    assert.ok(Math.abs(Number(output.started[0]?.offset) - 0.94) < 1e-6);
    assert.ok(Math.abs(track.driftMs(940)) < 0.001);
  });

  it('starts ahead by what the output takes to be heard', async () => {
    const { output, track } = await loaded();
    output.latency = 0.2;
    track.follow(1000);
    assert.equal(output.started[0]?.when, 100);
    assert.ok(Math.abs(output.started[0].offset - 1.2) < 1e-6);
    assert.ok(Math.abs(track.driftMs(1000)) < 0.001);
  });

  it('stops everything on stop', async () => {
    const { output, track } = await loaded();
    track.follow(0);
    track.stop();
    assert.ok(output.started.length > 0 && output.started.every(({ stopped }) => stopped));
  });

  it('plays nothing while the browser blocks sound, and begins at the right place afterwards', async () => {
    const { output, track } = await loaded();
    output.running = false;
    track.follow(0);
    assert.equal(output.started.length, 0);
    await track.resume();
    track.follow(2500);
    assert.equal(output.started[0]?.offset, 2.5);
  });

  it('reports a segment that cannot be decoded once and plays the others', async () => {
    const output = new FakeOutput();
    output.failing.add('s1');
    const problems: string[] = [];
    const track = new SoundTrack(output, (message) => problems.push(message));
    track.setSegments(segmentsOf(4));
    for (let round = 0; round < 5; round++) {
      track.prepare(0);
      await settle();
    }
    assert.equal(problems.length, 1);
    assert.equal(output.asked.filter((url) => url === 's1').length, 1);
    track.follow(0);
    assert.deepEqual(
      output.started.map(({ url }) => url),
      ['s0', 's2'],
    );
  });

  it('keeps what it holds when the same segments come again', async () => {
    const { output, track } = await loaded();
    const asked = output.asked.length;
    track.setSegments(segmentsOf(20));
    track.prepare(0);
    await settle();
    assert.ok(asked > 0 && output.asked.length === new Set(output.asked).size);
  });
});
