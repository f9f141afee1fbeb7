/** The review panel in a real browser under its real policy: what it plays, where it goes, what it shows of odd sessions. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { fixtureDurationMs, fixtureTakes } from '../fixtures/review-harness/fixtureMedia.ts';
import { fixtureSessionId, hostileText, type SessionKind } from '../fixtures/review-harness/fixtureSession.ts';
import { type OpenOptions, ReviewHarness } from '../fixtures/review-harness/harness.ts';

/** Page functions are strings: this program has no types of a browser, and shall not get them. */
const rows = '[data-testid=timeline-item]';

describe('review panel', function () {
  this.timeout(60_000);
  let harness: ReviewHarness | undefined;
  let page: Page;
  before(async () => {
    harness = await ReviewHarness.start();
  });
  after(() => harness?.close());
  afterEach(async () => {
    const problems = await page.evaluate<string[]>('[...policyViolations]');
    await page.context().close();
    assert.deepEqual(problems, [], 'the policy was never broken');
  });

  const started = (): ReviewHarness => {
    assert.ok(harness);
    return harness;
  };
  const open = async (kind: SessionKind, options?: OpenOptions): Promise<void> => {
    page = await started().open(kind, options);
    await page.waitForSelector('[data-testid=review][data-ready=true]');
  };
  const attribute = (name: string): Promise<string | null> => page.getByTestId('review').getAttribute(name);
  const playbackMs = async (): Promise<number> => Number(await attribute('data-playback-ms'));
  const play = (): Promise<void> => page.getByTestId('play').click();
  const seek = (ms: number): Promise<unknown> => page.evaluate(`harness.emitSeek(${ms})`);
  /** Asks from outside: the page's policy forbids what `waitForFunction` does. */
  const until = async (condition: string): Promise<void> => {
    const deadline = Date.now() + 15_000;
    while (!(await page.evaluate<boolean>(`!!(${condition})`))) {
      assert.ok(Date.now() < deadline, `timed out: ${condition}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const untilAfter = (ms: number): Promise<void> => until(`+${reviewData}.playbackMs > ${ms}`);
  const reviewData = `document.querySelector('[data-testid=review]').dataset`;
  const videoMs = (): Promise<number> => page.evaluate<number>(`document.querySelector('video').currentTime * 1000`);
  const reported = (): Promise<string[]> => page.evaluate<string[]>('harness.errors');

  it('plays picture and sound in step, and highlights where it is', async () => {
    await open('whole');
    await page.evaluate(recordSound);
    assert.equal(await attribute('data-session-id'), fixtureSessionId);
    await seek(7000);
    await play();
    await untilAfter(7600);
    assert.equal(await attribute('data-sound'), 'playing');
    assert.equal(await page.locator(`${rows}[aria-current=true]`).count(), 1);
    const first = Number(await page.locator(`${rows}[aria-current=true]`).getAttribute('data-offset-ms'));
    await untilAfter(8300);
    const second = Number(await page.locator(`${rows}[aria-current=true]`).getAttribute('data-offset-ms'));
    assert.ok(first <= 7600 && second > first && second <= 8300, `${first}, then ${second}`);
    const distances = await page.evaluate<number[]>(distanceOfSoundFromPicture(fixtureTakes[0].offsetMs));
    const worst = Math.max(...distances.map(Math.abs));
    assert.ok(worst <= 60, `sound was up to ${worst.toFixed(1)} ms away from the picture`);
    assert.deepEqual(await reported(), []);
  });

  it('tells the position at least four times a second', async () => {
    await open('whole');
    await play();
    await untilAfter(300);
    const changes = await page.evaluate<number>(`new Promise((resolve) => {
      let changes = 0;
      new MutationObserver((records) => (changes += records.length)).observe(
        document.querySelector('[data-testid=review]'), { attributeFilter: ['data-playback-ms'] });
      setTimeout(() => resolve(changes), 1000);
    })`);
    assert.ok(changes >= 4, `${changes} changes`);
  });

  it('goes to the moment of a row, of a place on the overview, and of the arrow keys', async () => {
    await open('whole');
    const row = page.locator(`${rows}[data-kind=edit]`).nth(1);
    const offsetMs = Number(await row.getAttribute('data-offset-ms'));
    await row.click();
    assert.equal(await playbackMs(), offsetMs);
    assert.equal(await row.getAttribute('aria-current'), 'true');
    await until(
      `Math.abs(document.querySelector('video').currentTime * 1000 - ${offsetMs - fixtureTakes[0].offsetMs}) < 1`,
    );

    const overview = page.getByTestId('overview');
    const box = await overview.boundingBox();
    assert.ok(box);
    await overview.click({ position: { x: box.width / 4, y: 20 } });
    assert.ok(Math.abs((await playbackMs()) - fixtureDurationMs / 4) < 100);
    const before = await playbackMs();
    await overview.press('ArrowRight');
    assert.equal(await playbackMs(), before + 5000);
    await overview.press('End');
    assert.equal(await playbackMs(), fixtureDurationMs);
    await overview.press('Home');
    assert.equal(await playbackMs(), 0);
  });

  it('opens a row’s file at its line without moving playback', async () => {
    await open('whole');
    await page.locator(`${rows}[data-kind=edit]`).first().getByTestId('open-file').click();
    assert.deepEqual(await page.evaluate('harness.opened'), [
      { uri: 'file:///work/job-runner/src/queue/scheduler.ts', line: 41 },
    ]);
    assert.equal(await playbackMs(), 0);
  });

  it('says that nothing was recorded in a gap, and goes on with the next take', async () => {
    await open('whole');
    await seek(25_600);
    await page.getByTestId('plate').waitFor();
    assert.match((await page.getByTestId('plate').textContent()) ?? '', /The display changed its size/);
    await play();
    await untilAfter(27_500);
    const [media, video] = [await playbackMs(), await videoMs()];
    assert.ok(Math.abs(media - fixtureTakes[1].offsetMs - video) < 150, `${media} against ${video}`);
    assert.equal(await page.getByTestId('plate').count(), 0);
    assert.equal(await attribute('data-sound'), 'playing');
  });

  it('stops at the end, and plays again from the start', async () => {
    await open('whole');
    await seek(fixtureDurationMs - 700);
    await play();
    await until(`${reviewData}.playbackMs === '${fixtureDurationMs}'`);
    await until(`${reviewData}.sound === 'silent'`);
    await page.getByRole('button', { name: /Play Again/ }).click();
    await until(`+${reviewData}.playbackMs > 200 && +${reviewData}.playbackMs < 5000`);
  });

  it('keeps fewer than a hundred items on the page for twenty thousand, and reaches the last', async () => {
    await open('long');
    const list = page.locator('.scroller');
    for (const share of [0, 0.3, 0.77, 1]) {
      await list.evaluate(`(list) => (list.scrollTop = ${share} * list.scrollHeight)`);
      await page.waitForTimeout(100);
      assert.ok((await page.locator(rows).count()) < 100);
    }
    await page.locator(`${rows} .row-main`).last().focus();
    await page.keyboard.press('End');
    await page.locator(`${rows}[aria-posinset="20000"]`).waitFor();
    assert.ok((await page.evaluate<number>(`document.querySelectorAll('*').length`)) < 1500);
  });

  it('follows playback until the user scrolls, and again when asked', async () => {
    await open('whole');
    await page.locator('.scroller').hover();
    await page.mouse.wheel(0, 600);
    await page.getByTestId('follow').waitFor();
    await until(`${scrollTop} >= 600`);
    const scrolledTo = await page.evaluate(scrollTop);
    await seek(30_500);
    await page.waitForTimeout(200);
    assert.equal(await page.evaluate(scrollTop), scrolledTo, 'the list stayed where the user put it');
    await page.getByTestId('follow').click();
    await until(`${scrollTop} !== ${String(scrolledTo)}`);
    await page.locator(`${rows}[aria-current=true]`).waitFor();
  });

  it('filters kinds, and remembers that and the position when it comes back', async () => {
    await open('whole');
    await page.getByTestId('filter-screenshot').click();
    assert.equal(await page.getByTestId('filter-screenshot').getAttribute('aria-pressed'), 'false');
    assert.equal(await page.locator(`${rows}[data-kind=screenshot]`).count(), 0);
    await seek(9000);
    await until('harness.state.positionMs === 9000');
    const state = await page.evaluate('harness.state');
    assert.deepEqual(state, { sessionId: fixtureSessionId, hiddenKinds: ['screenshot'], positionMs: 9000 });
    await page.context().close();
    await open('whole', { state });
    assert.equal(await playbackMs(), 9000);
    assert.equal(await page.locator(`${rows}[data-kind=screenshot]`).count(), 0);
  });

  for (const [kind, sound] of [
    ['videoOnly', 'none'],
    ['soundOnly', 'playing'],
    ['screenshotsOnly', 'none'],
    ['activityOnly', 'none'],
    ['brokenVideo', 'playing'],
    ['damagedVideo', 'playing'],
    ['empty', 'none'],
  ] as const) {
    it(`plays a session of the kind ${kind}`, async () => {
      await open(kind);
      await play();
      await untilAfter(900);
      assert.equal(await attribute('data-sound'), sound);
    });
  }

  it('shows screenshots in place of a video that cannot be played, from the start', async () => {
    await open('brokenVideo');
    await page.getByTestId('stage-screenshot').waitFor();
    assert.match((await page.locator('.stage').textContent()) ?? '', /cannot be played/);
  });

  it('says that a damaged video cannot be played before anybody tries to', async () => {
    await open('damagedVideo');
    assert.match((await page.getByTestId('plate').textContent()) ?? '', /cannot be played/);
    assert.equal(await page.locator('.stage-play').count(), 0);
  });

  it('keeps names of 240 characters within the overview and the timeline', async () => {
    await open('longNames');
    const legend = await page.locator('.legend').boundingBox();
    const widest = await page.evaluate<number>(
      `Math.max(...[...document.querySelectorAll('.legend li')].map((entry) => entry.getBoundingClientRect().right))`,
    );
    assert.ok(legend && widest <= legend.x + legend.width, `${widest} in ${JSON.stringify(legend)}`);
    assert.equal(
      await page.evaluate(`document.documentElement.scrollWidth > document.documentElement.clientWidth`),
      false,
    );
  });

  it('says that there is no sound where only sound is absent, not that nothing was recorded', async () => {
    await open('longNames');
    assert.match((await page.locator('.legend').textContent()) ?? '', /no sound/);
    assert.doesNotMatch((await page.locator('.legend').textContent()) ?? '', /not recorded/);
    await seek(6000);
    assert.equal(await page.getByTestId('plate').count(), 0);
  });

  it('says why there is no video, from what was recorded', async () => {
    await open('activityOnly');
    assert.match((await page.getByTestId('plate').textContent()) ?? '', /No video.*no display could be opened/);
    assert.match((await page.getByTestId('notices').textContent()) ?? '', /No video: no display could be opened/);
  });

  it('says that a session is gone, and asks again when told to', async () => {
    page = await started().open('gone');
    await page.getByTestId('failed').waitFor();
    assert.match((await page.getByTestId('failed').textContent()) ?? '', /no longer stored/);
    await page.getByRole('button', { name: 'Try Again' }).click();
    await page.getByTestId('failed').waitFor();
  });

  it('shows recorded text as text, whatever it holds', async () => {
    await open('hostile');
    assert.equal(await page.locator('h1').textContent(), hostileText);
    assert.equal(await page.title(), 'Session review');
    assert.equal(await page.locator('img[src=x]').count(), 0);
    const saved = page.locator(`${rows}[data-kind=save] .row-line`).first();
    assert.match((await saved.textContent()) ?? '', /st\ufffdgnp\.ts/);
    assert.equal(await page.evaluate(`/[\\u202a-\\u202e]/.test(document.body.outerHTML)`), false);
  });

  it('can be operated by keyboard and read by a screen reader', async () => {
    await open('whole');
    const nameless = await page.evaluate<
      string[]
    >(`[...document.querySelectorAll('button, vscode-button, input, img, [role]')]
      .filter((element) => !element.closest('[aria-hidden=true]') && !['presentation', 'none'].includes(element.role))
      .filter((element) => !(element.ariaLabel || element.getAttribute('aria-label') || element.alt !== undefined && element.hasAttribute('alt') || element.textContent.trim()))
      .map((element) => element.outerHTML.slice(0, 120))`);
    assert.deepEqual(nameless, []);
    await page.keyboard.press('Space');
    await untilAfter(300);
    await page.keyboard.press('k');
    const paused = await playbackMs();
    await page.keyboard.press('ArrowRight');
    assert.ok(Math.abs((await playbackMs()) - paused - 5000) < 50);
    await page.keyboard.press('m');
    await page.getByRole('button', { name: /Unmute/ }).waitFor();
    // One row of the list takes part in tabbing; the arrows reach the others.
    assert.equal(await page.locator(`${rows} .row-main[tabindex="0"]`).count(), 1);
    await page.locator(`${rows} .row-main[tabindex="0"]`).focus();
    const at = Number(await page.evaluate(focusedRow));
    await page.keyboard.press('ArrowDown');
    await until(`${focusedRow} === '${at + 1}'`);
    await page.keyboard.press('Enter');
    assert.equal(await page.locator(`[data-index="${at + 1}"]`).getAttribute('aria-current'), 'true');
  });
});

const scrollTop = `document.querySelector('.scroller').scrollTop`;
const focusedRow = `document.activeElement.closest('li')?.dataset.index`;

/** Notes when each piece of sound was started, and of what. */
const recordSound = `
  globalThis.sounds = [];
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (when, offset) {
    sounds.push({ when, offset, length: this.buffer.duration, context: this.context, media: this.buffer });
    return start.call(this, when, offset);
  };`;

/** For a second, how far what is heard is ahead of what is seen; only sound of the first segment counts. */
function distanceOfSoundFromPicture(takeOffsetMs: number): string {
  return `new Promise((resolve) => {
    const distances = [];
    const video = document.querySelector('video');
    const timer = setInterval(() => {
      const last = sounds.filter(({ offset }) => offset > 0).at(-1);
      const latency = Math.min(0.5, last.context.outputLatency || last.context.baseLatency || 0);
      const heard = (last.offset + last.context.currentTime - last.when - latency) * 1000;
      distances.push(heard - (video.currentTime * 1000 + ${takeOffsetMs}));
      if (distances.length === 10) { clearInterval(timer); resolve(distances); }
    }, 100);
  })`;
}
