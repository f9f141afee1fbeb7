/** How the scripts measure the sound of a session that has several segments. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { joinSounds, probeSound, writeChime } from '../../../scripts/editor/media.ts';
import { temporaryFolder } from '../../fakes/temporaryFolder.ts';

describe('joinSounds', () => {
  const folder = temporaryFolder();

  it('makes one file that is as long as all of them and as loud as the loudest', async () => {
    const chime = join(folder(), "captain's chime.dat");
    const silence = join(folder(), 'silence.dat');
    await writeChime(chime, 1);
    const bytes = await readFile(chime);
    await writeFile(silence, bytes.fill(0, 44));
    await writeChime(chime, 2);
    const whole = join(folder(), 'whole.wav');
    await joinSounds([{ path: silence }, { path: chime }, { path: silence }], whole);
    const { durationMs, peak, firstLoudMs } = await probeSound(whole);
    assert.equal(durationMs, 4000);
    assert.equal(peak, (await probeSound(chime)).peak);
    assert.ok(firstLoudMs !== undefined && firstLoudMs >= 1000 && firstLoudMs < 1100, `loud from ${firstLoudMs} ms`);
  });
});
