/** Sessions that a crash left behind: found, taken in once, and marked interrupted. */
import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../../../src/shared/errors.ts';
import { Lease } from '../../../src/extension/platform/lease.ts';
import type { Logger } from '../../../src/extension/platform/logger.ts';
import { SessionRecovery } from '../../../src/extension/session/recoverSessions.ts';
import { FakeRecorder } from '../../fakes/fakeRecorder.ts';
import { ManualClock } from '../../fakes/manualClock.ts';
import { metadataOf } from '../../fakes/metadata.ts';
import { sessionStoreIn } from '../../fakes/sessionStore.ts';
import { temporaryFolder } from '../../fakes/temporaryFolder.ts';

const manifest = {
  ...{ schemaVersion: 1, sessionId: 'any', startedAt: '2026-11-22T09:00:01.000Z', durationMs: 4000 },
  ...{ takes: [], segments: [], gaps: [], pauses: [] },
};

describe('SessionRecovery', () => {
  const folder = temporaryFolder();

  async function crashed() {
    const store = sessionStoreIn(folder());
    const metadata = metadataOf({ status: 'active' });
    await store.storage.saveMetadata(metadata);
    const recording = store.paths.recording(metadata.id);
    await mkdir(recording, { recursive: true });
    await writeFile(join(recording, 'video-0001.mp4'), 'torn');
    const recorder = new FakeRecorder(new ManualClock());
    const errors: string[] = [];
    const log: Logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (text) => errors.push(text),
    };
    const options = { recorder, store, host: 'here', log, unfinished: () => [metadata], isIdle: () => true };
    const recovery = new SessionRecovery(options);
    const recover = () => recovery.run();
    return { store, metadata, recording, recorder, recover, errors, options };
  }

  it('takes in what was recorded', async () => {
    const { store, metadata, recover, recorder, recording } = await crashed();
    const [recovered] = await recover();
    assert.equal(recovered?.status, 'interrupted');
    assert.equal(recovered.totalDuration, 4000);
    assert.equal(recovered.endTime, '2026-11-22T09:00:04.000Z');
    assert.deepEqual(await store.storage.getMetadata(metadata.id), recovered);
    assert.equal((await store.storage.getVideo(metadata.id))?.takes.length, 1);
    assert.equal(recorder.connections, 0);
    await assert.rejects(readdir(recording), { code: 'ENOENT' });
  });

  it('takes in nothing twice when it is repeated after a failure', async () => {
    const { store, metadata, recover, recording } = await crashed();
    await recover();
    const records = () => readdir(join(folder(), 'attachments', 'metadata'));
    const before = await records();
    await mkdir(recording, { recursive: true });
    await writeFile(join(recording, 'video-0001.mp4'), 'torn');
    await recover();
    assert.equal((await store.storage.getAudioSegments(metadata.id)).length, 1);
    assert.equal((await store.storage.getVideo(metadata.id))?.takes.length, 1);
    assert.deepEqual(await records(), before);
  });

  it('keeps what recovery set aside', async () => {
    const { recover, recording } = await crashed();
    await writeFile(join(recording, 'video-0001.mp4.torn-1'), 'half a fragment');
    await recover();
    assert.ok((await readdir(recording)).includes('video-0001.mp4.torn-1'));
  });

  it('marks a session of activity alone', async () => {
    const { store, metadata, recover, recording } = await crashed();
    await store.files.removeTree(recording);
    assert.equal((await recover())[0]?.status, 'interrupted');
    assert.equal(await store.storage.getVideo(metadata.id), undefined);
  });

  it('leaves a session for the next start when it cannot be read back', async () => {
    const { store, metadata, recover, recorder, recording, errors } = await crashed();
    recorder.recoverError = new CodedError('ioError', 'no');
    assert.deepEqual(await recover(), []);
    assert.equal((await store.storage.getMetadata(metadata.id)).status, 'active');
    assert.deepEqual(await readdir(recording), ['video-0001.mp4']);
    assert.equal(errors.length, 1);
  });

  it('does not believe the manifest of a recording that had not ended', async () => {
    const { store, metadata, recover, recorder, recording } = await crashed();
    await writeFile(join(recording, 'manifest.json'), JSON.stringify({ ...manifest, state: 'recording' }));
    recorder.recoverError = new CodedError('ioError', 'The disk does not answer.');
    assert.deepEqual(await recover(), []);
    assert.equal((await store.storage.getMetadata(metadata.id)).status, 'active');
    assert.deepEqual(await readdir(recording), ['manifest.json', 'video-0001.mp4']);
  });

  it('waits for a recorder that still ends its files', async () => {
    const { recover, recorder } = await crashed();
    recorder.recoverError = new CodedError('invalidState', 'Another recorder is writing.');
    const recovered = recover();
    await recorder.asked;
    recorder.recoverError = undefined;
    assert.equal((await recovered)[0]?.status, 'interrupted');
  });

  it('ends a session whose recorder never began', async () => {
    const { recover, recorder, recording } = await crashed();
    await rm(join(recording, 'video-0001.mp4'));
    await writeFile(join(recording, '.recorder.lock'), '');
    recorder.recoverError = new CodedError('sourceNotFound', 'There is no recording.');
    assert.equal((await recover())[0]?.status, 'interrupted');
  });

  it('tells a session once to those who ask at the same time', async () => {
    const { recover } = await crashed();
    const answers = await Promise.all([recover(), recover()]);
    assert.deepEqual(
      answers.map(({ length }) => length),
      [1, 0],
    );
  });

  it('touches nothing while this window records', async () => {
    const { store, metadata, options } = await crashed();
    assert.deepEqual(await new SessionRecovery({ ...options, isIdle: () => false }).run(), []);
    assert.equal((await store.storage.getMetadata(metadata.id)).status, 'active');
  });

  it('touches nothing while another window records', async () => {
    const { store, metadata, recover } = await crashed();
    const lease = await Lease.acquire({ path: store.paths.recordingLease, host: 'here' });
    assert.deepEqual(await recover(), []);
    assert.equal((await store.storage.getMetadata(metadata.id)).status, 'active');
    await lease.release();
  });
});
