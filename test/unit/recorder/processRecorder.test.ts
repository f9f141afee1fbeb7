/** The recorder behind its port, over a stand-in for its process: what is late is never left running unseen. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { CodedError } from '../../../src/shared/errors.ts';
import { systemClock } from '../../../src/extension/platform/clock.ts';
import type { Logger } from '../../../src/extension/platform/logger.ts';
import { ProcessRecorder } from '../../../src/extension/recorder/processRecorder.ts';
import { planOf, recorderConfigOf } from '../../../src/extension/session/recorderConfig.ts';
import { everySetting } from '../../fakes/settings.ts';

const processPath = fileURLToPath(new URL('../../fixtures/recorderStandIn.cjs', import.meta.url));
const log: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

describe('ProcessRecorder', function () {
  this.timeout(30_000);

  it('ends a recorder whose answer to a pause is late: it may record on while the session shows a pause', async () => {
    const recorder = new ProcessRecorder({ clock: systemClock, log, processPath, libraryPath: 'hangs on pause' });
    const connection = await recorder.connect();
    const died = new Promise<CodedError>((resolve) => connection.onDied(resolve));
    const target = { sessionId: 's', outputDirectory: '/nowhere', displayId: ':0' };
    const recording = await connection.record(recorderConfigOf(planOf(everySetting), everySetting, target));
    await assert.rejects(recording.pause(), { code: 'timeout' });
    assert.match((await died).message, /did not answer "pause" and was ended/);
    await assert.rejects(recording.status(), { code: 'recorderDied' });
    connection.dispose();
  });

  it('calls no death what was ended by its owner', async () => {
    const recorder = new ProcessRecorder({ clock: systemClock, log, processPath, libraryPath: 'makes media' });
    const connection = await recorder.connect();
    connection.onDied(() => assert.fail('it was disposed'));
    const job = connection.concatenateAudio({ segments: [], outputPath: '/endless' });
    connection.dispose();
    await assert.rejects(job, { code: 'recorderDied' });
  });
});
