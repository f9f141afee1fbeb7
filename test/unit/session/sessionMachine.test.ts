/** Every path through the machine, with every actor failing in turn. */
import assert from 'node:assert/strict';
import { createActor, fromCallback, fromPromise, waitFor } from 'xstate';
import { CodedError } from '../../../src/shared/errors.ts';
import { type SessionEvent, sessionMachine } from '../../../src/extension/session/sessionMachine.ts';

const actorNames = [
  'validateConfig',
  'checkPermissions',
  'startRecordingServices',
  'pauseRecordingServices',
  'resumeRecordingServices',
  'stopRecordingServices',
] as const;
type ActorName = (typeof actorNames)[number];

describe('sessionMachine', () => {
  function start(failing: readonly ActorName[] = []) {
    const calls: string[] = [];
    let watching = 0;
    let sendBack: ((event: SessionEvent) => void) | undefined;
    const work = (name: ActorName) =>
      fromPromise<void, { sessionId: string }>(({ input }) => {
        calls.push(`${name} ${input.sessionId}`);
        return failing.includes(name) ? Promise.reject(new CodedError('ioError', name)) : Promise.resolve();
      });
    const machine = sessionMachine.provide({
      actors: {
        validateConfig: work('validateConfig'),
        checkPermissions: work('checkPermissions'),
        startRecordingServices: fromPromise(() => {
          calls.push('startRecordingServices');
          if (failing.includes('startRecordingServices')) return Promise.reject(new CodedError('ioError', 'start'));
          return Promise.resolve({ video: { state: 'active', health: 'healthy' } });
        }),
        pauseRecordingServices: work('pauseRecordingServices'),
        resumeRecordingServices: work('resumeRecordingServices'),
        stopRecordingServices: work('stopRecordingServices'),
        monitorRecordingHealth: fromCallback((given) => {
          watching++;
          sendBack = given.sendBack;
          return () => void watching--;
        }),
      },
    });
    const actor = createActor(machine, { input: { sessionId: 'it' } });
    actor.start();
    const reaches = (state: Parameters<ReturnType<typeof actor.getSnapshot>['matches']>[0]) =>
      waitFor(actor, (snapshot) => snapshot.matches(state), { timeout: 1000 });
    return { actor, calls, reaches, watching: () => watching, sendBack: (event: SessionEvent) => sendBack?.(event) };
  }
  const active = { running: 'active' } as const;
  const paused = { running: 'paused' } as const;

  it('goes from idle through a pause to completed, and watches exactly while it runs', async () => {
    const { actor, calls, reaches, watching } = start();
    assert.equal(actor.getSnapshot().value, 'idle');
    actor.send({ type: 'START' });
    await reaches(active);
    assert.equal(watching(), 1);
    actor.send({ type: 'PAUSE' });
    await reaches(paused);
    assert.equal(watching(), 1);
    actor.send({ type: 'RESUME' });
    await reaches(active);
    actor.send({ type: 'END' });
    await reaches('completed');
    assert.equal(watching(), 0);
    assert.deepEqual(
      calls.map((call) => call.split(' ')[0]),
      actorNames,
    );
    assert.ok(calls.includes('stopRecordingServices it'), 'actors are keyed by session id');
  });

  for (const name of ['validateConfig', 'checkPermissions', 'startRecordingServices'] as const) {
    it(`answers error when ${name} fails, and can be dismissed or tried again`, async () => {
      const { actor, reaches, watching } = start([name]);
      actor.send({ type: 'START' });
      const { context } = await reaches('error');
      assert.equal(context.error?.code, 'ioError');
      assert.equal(watching(), 0);
      actor.send({ type: 'RETRY' });
      assert.equal(actor.getSnapshot().context.error, undefined);
      await reaches('error');
      actor.send({ type: 'DISMISS' });
      assert.equal(actor.getSnapshot().value, 'idle');
    });
  }

  it('goes on recording when a pause fails, and stays paused when a resume fails', async () => {
    const first = start(['pauseRecordingServices']);
    first.actor.send({ type: 'START' });
    await first.reaches(active);
    first.actor.send({ type: 'PAUSE' });
    await waitFor(first.actor, ({ context }) => context.error !== undefined);
    assert.ok(first.actor.getSnapshot().matches(active));

    const second = start(['resumeRecordingServices']);
    second.actor.send({ type: 'START' });
    await second.reaches(active);
    second.actor.send({ type: 'PAUSE' });
    await second.reaches(paused);
    second.actor.send({ type: 'RESUME' });
    await waitFor(second.actor, ({ context }) => context.error !== undefined);
    assert.ok(second.actor.getSnapshot().matches(paused));
    second.actor.send({ type: 'END' });
    await second.reaches('completed');
  });

  it('answers error when the end fails', async () => {
    const { actor, reaches } = start(['stopRecordingServices']);
    actor.send({ type: 'START' });
    await reaches(active);
    actor.send({ type: 'END' });
    assert.equal((await reaches('error')).context.error?.message, 'stopRecordingServices');
  });

  it('ends when the recorder is lost, active or paused', async () => {
    for (const pauseFirst of [false, true]) {
      const { actor, reaches, sendBack } = start();
      actor.send({ type: 'START' });
      await reaches(active);
      if (pauseFirst) {
        actor.send({ type: 'PAUSE' });
        await reaches(paused);
      }
      sendBack({ type: 'RECORDER_LOST' });
      await reaches('completed');
    }
  });

  it('remembers an end that was asked for while it starts, pauses or resumes', async () => {
    const starting = start();
    starting.actor.send({ type: 'START' });
    starting.actor.send({ type: 'END' });
    await starting.reaches('completed');

    const pausing = start();
    pausing.actor.send({ type: 'START' });
    await pausing.reaches(active);
    pausing.actor.send({ type: 'PAUSE' });
    pausing.actor.send({ type: 'END' });
    await pausing.reaches('completed');
    assert.ok(pausing.calls.includes('pauseRecordingServices it'), 'what had begun is finished first');

    const resuming = start();
    resuming.actor.send({ type: 'START' });
    await resuming.reaches(active);
    resuming.actor.send({ type: 'PAUSE' });
    await resuming.reaches(paused);
    resuming.actor.send({ type: 'RESUME' });
    resuming.actor.send({ type: 'END' });
    await resuming.reaches('completed');
  });

  it('merges what the watch reports of each service', async () => {
    const { actor, reaches, sendBack } = start();
    actor.send({ type: 'START' });
    await reaches(active);
    sendBack({
      type: 'UPDATE_RECORDING_STATE',
      updates: { audio: { state: 'error', health: 'failed', message: 'gone' } },
    });
    assert.deepEqual(actor.getSnapshot().context.recordingState, {
      video: { state: 'active', health: 'healthy' },
      audio: { state: 'error', health: 'failed', message: 'gone' },
    });
  });

  it('ignores events that make no sense where it is', async () => {
    const { actor, calls, reaches } = start();
    for (const type of ['PAUSE', 'RESUME', 'END', 'RETRY', 'DISMISS', 'RECORDER_LOST'] as const) actor.send({ type });
    assert.equal(actor.getSnapshot().value, 'idle');
    actor.send({ type: 'START' });
    await reaches(active);
    actor.send({ type: 'START' });
    actor.send({ type: 'RESUME' });
    assert.ok(actor.getSnapshot().matches(active));
    assert.equal(calls.length, 3);
  });
});
