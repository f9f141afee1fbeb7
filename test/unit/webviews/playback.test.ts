/** The media clock over takes, gaps and sessions without a picture. */
import assert from 'node:assert/strict';
import {
  Playback,
  type PlaybackMedia,
  type SoundPort,
  type VideoPort,
} from '../../../src/webviews/review/playback/playback.ts';

class FakeVideo implements VideoPort {
  #src = '';
  readyState = 0;
  duration = NaN;
  currentTime = 0;
  seeking = false;
  ended = false;
  paused = true;
  plays = 0;
  readonly #listeners = new Map<string, Set<() => void>>();
  constructor(readonly durations: Readonly<Record<string, number>>) {}
  get src(): string {
    return this.#src;
  }
  set src(url: string) {
    this.#src = url;
    this.readyState = 0;
    this.currentTime = 0;
    this.ended = false;
  }
  /** The data arrives. */
  arrive(): void {
    this.duration = this.durations[this.#src] ?? NaN;
    this.readyState = 4;
    this.fire('loadedmetadata');
    this.fire('loadeddata');
  }
  advance(seconds: number): void {
    this.currentTime = Math.min(this.duration, this.currentTime + seconds);
    this.ended = this.currentTime >= this.duration;
  }
  async play(): Promise<void> {
    this.paused = false;
    this.plays++;
  }
  pause(): void {
    this.paused = true;
  }
  addEventListener(type: string, listener: () => void): void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
  }
  removeEventListener(type: string, listener: () => void): void {
    this.#listeners.get(type)?.delete(listener);
  }
  fire(type: string): void {
    for (const listener of this.#listeners.get(type) ?? []) listener();
  }
}

class FakeSound implements SoundPort {
  followed: number[] = [];
  stops = 0;
  setSegments(): void {}
  prepare(): void {}
  async resume(): Promise<void> {}
  follow(mediaMs: number): void {
    this.followed.push(mediaMs);
  }
  stop(): void {
    this.stops++;
  }
}

const twoTakes: PlaybackMedia = {
  durationMs: 30_000,
  takes: [
    { url: 'one', offsetMs: 0, durationMs: 10_000 },
    { url: 'two', offsetMs: 15_000, durationMs: 10_000 },
  ],
  audio: [],
};

function setUp(media: PlaybackMedia, withVideo = true) {
  let now = 0;
  const sound = new FakeSound();
  const problems: string[] = [];
  const playback = new Playback(
    sound,
    () => now,
    (message) => problems.push(message),
  );
  const video = new FakeVideo({ one: 10, two: 10, still: 4 });
  if (withVideo) playback.attach(video);
  playback.load(media);
  if (withVideo && video.src !== '') video.arrive();
  return { playback, video, sound, problems, wait: (ms: number) => void (now += ms) };
}

describe('Playback', () => {
  it('follows the video while a take plays', () => {
    const { playback, video, sound } = setUp(twoTakes);
    playback.play();
    video.advance(3);
    playback.tick();
    assert.equal(playback.mediaMs, 3000);
    assert.deepEqual(sound.followed.at(-1), 3000);
  });

  it('crosses a gap on its own clock and goes on with the next take', () => {
    const { playback, video, wait } = setUp(twoTakes);
    playback.play();
    video.advance(10);
    playback.tick();
    assert.equal(playback.state.place.kind, 'gap');
    assert.equal(video.src, 'two', 'the next take is fetched during the gap');
    video.arrive();
    wait(3000);
    playback.tick();
    assert.equal(playback.mediaMs, 13_000);
    wait(2000);
    playback.tick();
    assert.equal(playback.state.place.kind, 'take');
    assert.equal(video.paused, false);
    video.advance(1);
    playback.tick();
    assert.equal(playback.mediaMs, 16_000);
  });

  it('stops at the end and starts again from the beginning', () => {
    const { playback, wait } = setUp({ durationMs: 5000, takes: [], audio: [] }, false);
    playback.play();
    wait(6000);
    playback.tick();
    assert.equal(playback.mediaMs, 5000);
    assert.ok(!playback.state.playing && playback.state.atEnd);
    playback.play();
    assert.equal(playback.mediaMs, 0);
    wait(1000);
    playback.tick();
    assert.equal(playback.mediaMs, 1000);
  });

  it('runs on over a still screen, whose video is shorter than its take, without starting it again', () => {
    const { playback, video, wait } = setUp({
      durationMs: 10_000,
      takes: [{ url: 'still', offsetMs: 0, durationMs: 10_000 }],
      audio: [],
    });
    playback.play();
    video.advance(4);
    playback.tick();
    assert.equal(playback.mediaMs, 4000);
    wait(2000);
    playback.tick();
    assert.equal(playback.mediaMs, 6000);
    const plays = video.plays;
    playback.seek(8000);
    wait(500);
    playback.tick();
    assert.equal(playback.mediaMs, 8500);
    assert.equal(video.plays, plays);
    playback.seek(1000);
    assert.equal(video.plays, plays + 1);
  });

  it('holds the sound and waits while the picture has no data', () => {
    const { playback, video, sound } = setUp(twoTakes);
    playback.play();
    video.readyState = 1;
    const stops = sound.stops;
    playback.tick();
    assert.ok(playback.state.waiting);
    assert.equal(sound.stops, stops + 1);
    video.readyState = 4;
    playback.tick();
    assert.ok(!playback.state.waiting);
  });

  it('shows the wished position while a seek is under way, and asks for the last wish only', () => {
    const { playback, video } = setUp(twoTakes);
    playback.seek(2000);
    video.seeking = true;
    playback.seek(3000);
    playback.seek(7000);
    assert.equal(video.currentTime, 2);
    assert.equal(playback.mediaMs, 7000);
    video.seeking = false;
    video.fire('seeked');
    assert.equal(video.currentTime, 7);
  });

  it('seeks into another take and pauses there when it was paused', () => {
    const { playback, video } = setUp(twoTakes);
    playback.seek(18_000);
    assert.equal(video.src, 'two');
    assert.ok(!playback.state.pictureReady);
    video.arrive();
    assert.equal(video.currentTime, 3);
    assert.ok(video.paused && playback.state.pictureReady);
  });

  it('goes on without a picture that cannot be played, and says so once', () => {
    const { playback, video, problems, wait } = setUp(twoTakes);
    playback.play();
    video.fire('error');
    assert.ok(playback.state.pictureBroken && playback.state.playing);
    wait(1000);
    playback.tick();
    assert.equal(playback.mediaMs, 1000);
    assert.equal(problems.length, 1);
  });

  it('keeps position and picture when the same session is loaded again', () => {
    const { playback, video } = setUp(twoTakes);
    playback.seek(4000);
    video.currentTime = 4;
    playback.load({ ...twoTakes, durationMs: 40_000 });
    assert.equal(playback.mediaMs, 4000);
    assert.equal(video.readyState, 4, 'the source was not set anew');
  });

  it('clamps seeks to the session', () => {
    const { playback } = setUp(twoTakes);
    playback.seek(-5);
    assert.equal(playback.mediaMs, 0);
    playback.seek(99_999);
    assert.equal(playback.mediaMs, 30_000);
    assert.ok(playback.state.atEnd);
  });

  it('stops when the browser refuses to play, and says so', async () => {
    const { playback, video, problems } = setUp(twoTakes);
    video.play = () => Promise.reject(new Error('NotAllowedError'));
    playback.play();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(playback.state.playing, false);
    assert.equal(problems.length, 1);
  });
});
