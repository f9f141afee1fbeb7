/** A whole session over a real store and a fake recorder: what is on disk afterwards, whatever went wrong. */
import assert from 'node:assert/strict';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { CodedError } from '../../../src/shared/errors.ts';
import type { ReportActivity } from '../../../src/extension/activity/activityObserver.ts';
import { diskFiles } from '../../../src/extension/platform/files.ts';
import type { Logger } from '../../../src/extension/platform/logger.ts';
import { SessionService, type SessionOutcome } from '../../../src/extension/session/sessionService.ts';
import { FakeRecorder } from '../../fakes/fakeRecorder.ts';
import { ManualClock } from '../../fakes/manualClock.ts';
import { everySetting } from '../../fakes/settings.ts';
import { sessionStoreIn } from '../../fakes/sessionStore.ts';
import { temporaryFolder } from '../../fakes/temporaryFolder.ts';

const quiet: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

describe('SessionService', () => {
  const folder = temporaryFolder();
  const services: SessionService[] = [];
  afterEach(() => services.splice(0).forEach((service) => service.dispose()));

  function setUp({ settings = everySetting, files = diskFiles } = {}) {
    const clock = new ManualClock();
    const recorder = new FakeRecorder(clock);
    const store = sessionStoreIn(folder(), files);
    const problems: string[] = [];
    const outcomes: SessionOutcome[] = [];
    const failures: CodedError[] = [];
    const states: string[] = [];
    let report: ReportActivity = () => assert.fail('nothing observes yet');
    const session = new SessionService({
      recorder,
      store,
      clock,
      host: 'here',
      ready: () => Promise.resolve(),
      log: quiet,
      observers: [
        (given) => {
          report = given;
          return { dispose: () => undefined };
        },
      ],
      describe: () => ({ name: 'work at 09:00', workspaceName: 'work', settings }),
      onProblem: (message) => problems.push(message),
    });
    services.push(session);
    session.onDidEnd((outcome) => outcomes.push(outcome));
    session.onDidFail((error) => failures.push(error));
    session.onDidChange(({ state }) => states.push(state));
    const edits = () =>
      report(
        {
          kind: 'edit',
          file: { path: 'a.ts', uri: 'file:///a.ts' },
          ranges: [{ startLine: 1, endLine: 1, charactersAdded: 1, charactersRemoved: 0 }],
        },
        clock.monotonicMs(),
      );
    const stored = async (sessionId: string) => ({
      metadata: await store.storage.getMetadata(sessionId),
      activity: await store.storage.getActivity(sessionId),
      audio: await store.storage.getAudioSegments(sessionId),
      video: await store.storage.getVideo(sessionId),
      screenshots: await store.storage.getScreenshots(sessionId),
    });
    const ended = async () => {
      await session.end();
      return stored(outcomes.at(-1)?.sessionId ?? assert.fail(`did not end: ${failures.map(String).join()}`));
    };
    return { clock, recorder, store, session, problems, outcomes, failures, states, edits, stored, ended };
  }

  it('stores what was recorded, with pauses left out', async () => {
    const { clock, session, store, edits, ended, states, problems } = setUp();
    await session.start();
    assert.equal(session.view.state, 'active');
    clock.advance(2000);
    edits();
    await session.pause();
    clock.advance(10_000);
    edits();
    assert.equal(session.elapsedMs(), 2000);
    await session.resume();
    clock.advance(500);
    edits();
    const { metadata, activity, audio, video } = await ended();
    assert.deepEqual(
      activity.map(({ kind, offsetMs }) => [kind, offsetMs]),
      [
        ['edit', 2000],
        ['paused', 2000],
        ['edit', 2500],
      ],
    );
    assert.equal(metadata.status, 'completed');
    assert.equal(metadata.totalDuration, 2500);
    assert.equal(metadata.workspaceName, 'work');
    assert.deepEqual(metadata.counts, { videoTakes: 1, audioSegments: 1, screenshots: 0, activityEvents: 3 });
    assert.equal(audio[0]?.duration, 2.5);
    assert.equal(video?.takes[0]?.durationMs, 2500);
    const take = await store.attachments.get(video.takes[0].attachmentId);
    assert.match((await store.files.read(store.attachments.pathOf(take))).toString(), /^video of /);
    assert.deepEqual(await readdir(`${folder()}/recordings`), [], 'the recorder’s folder is gone once it is adopted');
    assert.deepEqual(problems, []);
    assert.deepEqual(
      states.filter((state, index) => state !== states[index - 1]),
      [
        'idle',
        'validating',
        'checkingPermissions',
        'starting',
        'active',
        'pausing',
        'paused',
        'resuming',
        'active',
        'ending',
        'idle',
      ],
    );
  });

  it('can be started again, and lets go of recorder and lease each time', async () => {
    const { session, recorder, outcomes } = setUp();
    for (let round = 1; round <= 2; round++) {
      await session.start();
      await session.end();
      assert.equal(outcomes.length, round);
      assert.equal(recorder.connections, 0);
    }
  });

  it('refuses what makes no sense, with words', async () => {
    const { session } = setUp();
    await assert.rejects(session.end(), /No session is running/);
    await assert.rejects(session.pause(), /No session is recording/);
    await session.start();
    await assert.rejects(session.start(), /already running/);
    await assert.rejects(session.resume(), /No session is paused/);
    await session.end();
  });

  it('lets one window record at a time', async () => {
    const first = setUp();
    const second = setUp();
    await first.session.start();
    await second.session.start();
    assert.equal(second.failures[0]?.code, 'leaseTaken');
    assert.equal(second.session.view.state, 'idle');
    await first.session.end();
    await second.session.start();
    assert.equal(second.session.view.state, 'active');
    await second.session.end();
  });

  it('asks the recorder for what the settings say, and for nothing else', async () => {
    const settings = { ...everySetting, videoEnabled: false, microphone: false, fps: 30 };
    const { session, recorder, ended } = setUp({ settings });
    await session.start();
    const [config] = recorder.recorded;
    assert.equal(config?.video.enabled, false);
    assert.equal(config.video.fps, 30);
    assert.equal(config.audio.microphone, null);
    assert.equal(config.audio.systemAudio, true);
    assert.equal((await ended()).metadata.recordingConfig.videoEnabled, false);
  });

  it('does not start a recorder when nothing is to be recorded but activity', async () => {
    const settings = {
      ...everySetting,
      videoEnabled: false,
      microphone: false,
      systemSound: false,
      screenshotsEnabled: false,
    };
    const { session, recorder, edits, ended, problems } = setUp({ settings });
    recorder.connectError = new CodedError('libraryMissing', 'must not be asked');
    await session.start();
    edits();
    const { activity, video } = await ended();
    assert.equal(activity.length, 1);
    assert.equal(video, undefined);
    assert.deepEqual(problems, []);
  });

  for (const [what, spoil] of [
    [
      'the library is missing',
      (fake: FakeRecorder) => (fake.connectError = new CodedError('libraryMissing', 'No library.')),
    ],
    [
      'the recording cannot start',
      (fake: FakeRecorder) => (fake.recordError = new CodedError('ioError', 'No library.')),
    ],
  ] as const) {
    it(`records the editor’s activity, and says so, when ${what}`, async () => {
      const { session, recorder, edits, ended, problems } = setUp();
      spoil(recorder);
      await session.start();
      assert.deepEqual(session.view.warnings, ['No library.'], 'the status bar warns all the while');
      edits();
      const { activity, metadata } = await ended();
      assert.deepEqual(
        activity.map(({ kind }) => kind),
        ['problem', 'edit'],
      );
      assert.deepEqual(problems, ["Only the editor's activity is recorded. No library."]);
      assert.deepEqual(metadata.problems, problems);
      assert.equal(metadata.status, 'completed');
      assert.equal(metadata.recordingConfig.videoEnabled, false);
    });
  }

  it('records sound when there is no screen, and says why there is no picture', async () => {
    const { session, recorder, clock, problems, ended } = setUp();
    recorder.permissions = { screen: 'denied', reasons: { screen: 'no display can be opened.' } };
    await session.start();
    clock.advance(1000);
    assert.deepEqual(session.view.warnings, ['no display can be opened.']);
    assert.equal(recorder.recorded[0]?.video.enabled, false);
    assert.equal(recorder.recorded[0].screenshots.enabled, false);
    assert.deepEqual(problems, ['The screen is not recorded: no display can be opened.']);
    assert.equal((await ended()).audio.length, 1);
  });

  it('goes on when one service did not come up, and shows it', async () => {
    const { session, recorder, problems } = setUp();
    const failed = { ...recorder.services.audio, state: 'error', health: 'failed' } as typeof recorder.services.audio;
    if (failed) failed.error = { code: 'sourceNotFound', message: 'There is no sound server.' };
    recorder.services = { ...recorder.services, ...(failed ? { audio: failed } : {}) };
    await session.start();
    assert.equal(session.view.state, 'active');
    assert.deepEqual(session.view.warnings, ['There is no sound server.']);
    const error = { code: 'sourceNotFound', message: 'There is no sound server.' };
    recorder.events.fire({ type: 'serviceFailed', offsetMs: 0, service: 'audio', error });
    assert.deepEqual(problems, ['Sound: There is no sound server.'], 'it is told once');
    await session.end();
  });

  it('tells of a lost screen once, and again when it is lost again after it came back', async () => {
    const { session, recorder, problems } = setUp();
    await session.start();
    const message = 'The display was switched off.';
    const lost = { type: 'sourceLost', offsetMs: 0, service: 'video', sourceId: 'screen', message } as const;
    recorder.events.fire(lost);
    recorder.events.fire({
      type: 'serviceFailed',
      offsetMs: 0,
      service: 'video',
      error: { code: 'sourceLost', message },
    });
    recorder.events.fire({ type: 'sourceRecovered', offsetMs: 0, service: 'video', sourceId: 'screen' });
    assert.deepEqual(problems, [`Video: ${message}`]);
    recorder.events.fire(lost);
    assert.deepEqual(problems, [`Video: ${message}`, `Video: ${message}`]);
    await session.end();
  });

  it('ends and keeps what was recorded when the recorder dies', async () => {
    const { session, recorder, clock, edits, problems, outcomes, stored } = setUp();
    await session.start();
    clock.advance(5000);
    edits();
    const over = new Promise<void>((resolve) => session.onDidEnd(() => resolve()));
    recorder.die();
    await over;
    const { metadata, video, activity } = await stored(outcomes[0]?.sessionId ?? '');
    assert.equal(session.view.state, 'idle');
    assert.match(outcomes[0]?.interruptedBecause ?? '', /stopped unexpectedly/);
    assert.match(problems[0] ?? '', /What was recorded until then is kept/);
    assert.equal(metadata.status, 'interrupted');
    assert.equal(video?.takes.length, 1);
    assert.deepEqual(
      activity.map(({ kind }) => kind),
      ['edit', 'problem'],
    );
  });

  it('warns of a disk that fills, and ends cleanly when the recorder had to stop', async () => {
    const { session, recorder, problems, outcomes, stored } = setUp();
    await session.start();
    const low = { type: 'diskLow', offsetMs: 1000, freeBytes: 480_000_000, stopping: false } as const;
    recorder.events.fire({ ...low, message: 'The disk is almost full.' });
    assert.equal(session.view.state, 'active');
    const over = new Promise<void>((resolve) => session.onDidEnd(() => resolve()));
    recorder.events.fire({ ...low, freeBytes: 90_000_000, stopping: true, message: 'The disk is full.' });
    await over;
    const { metadata, video } = await stored(outcomes[0]?.sessionId ?? '');
    assert.deepEqual(problems, ['The disk is almost full.', 'The disk is full.']);
    assert.equal(outcomes[0]?.interruptedBecause, 'The disk is full.');
    assert.equal(metadata.status, 'completed');
    assert.equal(video?.takes.length, 1);
  });

  it('reads the files back when the recorder does not stop', async () => {
    const { session, recorder, problems, ended } = setUp();
    await session.start();
    recorder.stopError = new CodedError('timeout', 'The recorder did not answer.');
    const { metadata, video } = await ended();
    assert.equal(metadata.status, 'completed');
    assert.equal(video?.durationMs, 4000);
    assert.match(problems[0] ?? '', /did not end cleanly/);
  });

  it('stores the picture when the sound was deleted under it', async () => {
    const { session, recorder, clock, store, ended } = setUp();
    await session.start();
    clock.advance(3000);
    recorder.afterStop = (directory) => rm(`${directory}/audio-0001.wav`);
    const { metadata, video, audio } = await ended();
    assert.equal(metadata.status, 'completed');
    assert.equal(video?.takes.length, 1);
    assert.deepEqual(audio, []);
    assert.deepEqual(metadata.counts?.audioSegments, 0);
    assert.match(metadata.problems?.[0] ?? '', /audio-0001.wav" is gone/);
    assert.deepEqual(await readdir(`${folder()}/recordings`), []);
    assert.equal(store.damaged.length, 0);
  });

  it('goes on recording when a pause fails, and tells it', async () => {
    const { session, recorder, failures } = setUp();
    await session.start();
    recorder.pauseError = new CodedError('timeout', 'late');
    await session.pause();
    assert.equal(session.view.state, 'active');
    assert.equal(failures[0]?.message, 'late');
    await session.end();
  });

  it('does not start where nothing can be stored, and says why', async () => {
    await writeFile(`${folder()}/sessions`, 'a file where the folder should be');
    const { session, failures, recorder } = setUp();
    await session.start();
    assert.equal(session.view.state, 'idle');
    assert.equal(failures[0]?.code, 'ioError');
    assert.ok(failures[0].message.includes(`cannot write to ${folder()}`), failures[0].message);
    assert.equal(recorder.recorded.length, 0, 'nothing is recorded that could not be found again');
    assert.equal(recorder.connections, 0);
  });

  it('leaves everySetting where it is when the end cannot be stored', async () => {
    let isFull = false;
    const files = {
      ...diskFiles,
      writeAtomic: (path: string, data: string | Uint8Array) =>
        isFull ? Promise.reject(new CodedError('diskFull', 'The disk is full.')) : diskFiles.writeAtomic(path, data),
    };
    const { session, failures, recorder, store, problems } = setUp({ files });
    await session.start();
    isFull = true;
    await session.end();
    assert.equal(failures[0]?.code, 'diskFull');
    assert.equal(session.view.state, 'idle');
    assert.deepEqual(problems, []);
    const sessionId = recorder.recorded[0]?.sessionId ?? '';
    assert.equal((await store.storage.getMetadata(sessionId)).status, 'active');
    assert.deepEqual((await readdir(store.paths.recording(sessionId))).sort(), ['audio-0001.wav', 'video-0001.mp4']);
  });
});
