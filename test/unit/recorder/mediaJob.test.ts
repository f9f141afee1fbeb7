/** A media job over a stand-in for the recorder process: whatever happens to it, the caller is told once. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../src/extension/platform/clock.ts';
import type { Logger } from '../../../src/extension/platform/logger.ts';
import { ProcessRecorder } from '../../../src/extension/recorder/processRecorder.ts';
import type { RecorderConnection } from '../../../src/extension/recorder/recorder.ts';

const processPath = fileURLToPath(new URL('../../fixtures/recorderStandIn.cjs', import.meta.url));
const log: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

describe('A media job', () => {
  let connection: RecorderConnection;
  beforeEach(async () => {
    const options = { clock: systemClock, log, processPath, libraryPath: 'makes media' };
    connection = await new ProcessRecorder(options).connect();
  });
  afterEach(() => connection.dispose());

  const request = (outputPath: string) => ({ segments: [{ path: '/a.wav', offsetMs: 0 }], outputPath });

  it('tells its progress from the start, and its result', async () => {
    const progress: number[] = [];
    const onProgress = (fraction: number): void => void progress.push(fraction);
    const result = await connection.concatenateAudio(request('/out.mp3'), { onProgress });
    assert.deepEqual(result, { path: '/out.mp3', durationMs: 10, bytes: 20 });
    assert.deepEqual(progress, [0.25, 0.5]);
  });

  it('rejects with the library’s error', async () => {
    await assert.rejects(connection.concatenateAudio(request('/full')), { code: 'diskFull', message: 'Full.' });
  });

  it('is cancelled by its signal, at any moment', async () => {
    const reason = new Error('Not wanted any more.');
    const later = new AbortController();
    const onProgress = (): void => later.abort(reason);
    const job = connection.concatenateAudio(request('/endless'), { signal: later.signal, onProgress });
    await assert.rejects(job, reason);
    const before = AbortSignal.abort(reason);
    await assert.rejects(connection.mergeMedia({ takes: [], outputPath: '/endless' }, { signal: before }), reason);
  });

  it('rejects when the recorder process dies', async () => {
    await assert.rejects(connection.concatenateAudio(request('/dies')), { code: 'recorderDied' });
  });

  it('rejects when its connection is disposed', async () => {
    const onProgress = (): void => connection.dispose();
    const job = connection.concatenateAudio(request('/endless'), { onProgress });
    await assert.rejects(job, { code: 'recorderDied' });
  });
});
