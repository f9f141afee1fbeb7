/** When screenshots are taken: at an interval, soon after something happened, never too close, never of an unchanged screen. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { mock } from 'node:test';
import { ScreenshotTimer } from '../../../src/extension/session/screenshotTimer.ts';
import { recorderConfigOf } from '../../../src/extension/session/recorderConfig.ts';
import { FakeRecorder } from '../../fakes/fakeRecorder.ts';
import { ManualClock } from '../../fakes/manualClock.ts';
import { sessionStoreIn } from '../../fakes/sessionStore.ts';
import { everySetting } from '../../fakes/settings.ts';
import { temporaryFolder } from '../../fakes/temporaryFolder.ts';

describe('ScreenshotTimer', () => {
  const folder = temporaryFolder();
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'setInterval'] }));
  afterEach(() => mock.timers.reset());

  async function setUp() {
    const clock = new ManualClock();
    const fake = new FakeRecorder(clock);
    const store = sessionStoreIn(folder());
    const sessionId = randomUUID();
    const outputDirectory = store.paths.recording(sessionId);
    const plan = { video: true, screenshots: true, systemSound: false, microphone: false };
    const target = { sessionId, outputDirectory, displayId: ':0' };
    const recording = await (await fake.connect()).record(recorderConfigOf(plan, everySetting, target));
    const failures: unknown[] = [];
    let takes = 0;
    const timer = new ScreenshotTimer({
      sessionId,
      intervalMs: 10_000,
      clock,
      take: () => {
        takes++;
        return recording.takeScreenshot();
      },
      storage: store.storage,
      attachments: store.attachments,
      onFailed: (error) => failures.push(error),
    });
    /** Lets time pass, and what it set off come to its end. */
    const pass = async (ms: number) => {
      clock.advance(ms);
      mock.timers.tick(ms);
      await timer.settled();
    };
    const stored = () => store.storage.getScreenshots(sessionId);
    return { fake, timer, pass, stored, failures, takes: () => takes, outputDirectory };
  }

  it('takes the first soon after the start and then one at each interval, numbered', async () => {
    const { fake, timer, pass, stored, outputDirectory } = await setUp();
    for (const [ms, screen] of [
      [700, 'a'],
      [9300, 'b'],
      [10_000, 'c'],
    ] as const) {
      fake.screen = screen;
      await pass(ms);
    }
    const screenshots = await stored();
    assert.deepEqual(
      screenshots.map(({ sequenceNumber, offsetMs }) => [sequenceNumber, offsetMs]),
      [
        [0, 700],
        [1, 10_000],
        [2, 20_000],
      ],
    );
    assert.deepEqual(await readdir(outputDirectory), ['video-0001.mp4'], 'what was adopted leaves the folder');
    timer.dispose();
  });

  it('keeps nothing of a screen that did not change', async () => {
    const { timer, pass, stored, takes } = await setUp();
    await pass(700);
    await pass(9300);
    await pass(10_000);
    assert.equal(takes(), 3);
    assert.equal((await stored()).length, 1);
    timer.dispose();
  });

  it('takes one when something happened, once it is drawn, but never two within two seconds', async () => {
    const { timer, pass, takes } = await setUp();
    await pass(700);
    timer.requestSoon();
    await pass(700);
    assert.equal(takes(), 1, 'only 0.7 s after the first');
    await pass(2000);
    timer.requestSoon();
    timer.requestSoon();
    await pass(699);
    assert.equal(takes(), 1);
    await pass(1);
    assert.equal(takes(), 2);
    timer.dispose();
  });

  it('takes none during a pause', async () => {
    const { fake, timer, pass, takes } = await setUp();
    await pass(700);
    await timer.pause();
    timer.requestSoon();
    await pass(60_000);
    assert.equal(takes(), 1);
    timer.resume();
    fake.screen = 'after';
    await pass(10_000);
    assert.equal(takes(), 2);
    timer.dispose();
  });

  it('goes on after a failure', async () => {
    const { fake, timer, pass, stored, failures, outputDirectory } = await setUp();
    const { rm, mkdir } = await import('node:fs/promises');
    await rm(outputDirectory, { recursive: true });
    await pass(700);
    assert.equal(failures.length, 1);
    await mkdir(outputDirectory, { recursive: true });
    fake.screen = 'again';
    await pass(9300);
    assert.equal((await stored()).length, 1);
    timer.dispose();
  });
});
