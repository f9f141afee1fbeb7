/** The real recorder where the world around it fails: whatever happens, it says so, and what was recorded is kept and decodes. */
import assert from 'node:assert/strict';
import { access, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from '../../scripts/build.ts';
import { SmallDisk } from '../../scripts/editor/smallDisk.ts';
import { capture } from '../../scripts/process.ts';
import type { RecordingManifest } from '../../src/shared/recorder/library.ts';
import { configFor, Events, RecorderRig } from './recorderRig.ts';

describe('the recorder when the world fails', function () {
  this.timeout(120_000);
  let rig: RecorderRig;

  before(() => build());
  beforeEach(async () => {
    rig = await RecorderRig.open();
  });
  afterEach(() => rig.dispose());

  it('refuses a folder that another recorder writes to, and the first one goes on', async () => {
    const folder = rig.folder('shared');
    const first = await (await rig.connect()).record(configFor(folder));
    const events = new Events(first);
    const second = await rig.connect();
    await assert.rejects(second.record(configFor(folder)), { code: 'invalidState' });
    await assert.rejects(second.recover(folder), { code: 'invalidState' });
    await events.nextFragment();
    await assertKept(folder, await first.stop());
  });

  it('says that its folder was deleted, and ends', async () => {
    const folder = join(rig.folder('deleted'), 'session');
    const recording = await (await rig.connect()).record(configFor(folder));
    const events = new Events(recording);
    await events.first('fragmentWritten');
    await rm(folder, { recursive: true });
    const { error } = await events.first('serviceFailed', ({ service }) => service === 'video');
    assert.equal(error.code, 'ioError');
    assert.match(error.message, /deleted|No such file/);
    const { services } = await recording.status();
    assert.equal(services.video?.health, 'failed');
    await recording.stop();
    await assert.rejects(access(folder), { code: 'ENOENT' });
  });

  it('goes on in a folder that was moved', async () => {
    const parent = rig.folder('moved');
    const recording = await (await rig.connect()).record(configFor(join(parent, 'before')));
    const events = new Events(recording);
    await events.first('fragmentWritten');
    await rename(join(parent, 'before'), join(parent, 'after'));
    await events.nextFragment();
    await assertKept(join(parent, 'after'), await recording.stop());
  });

  it('warns of a disk that fills and ends while everything still fits', async () => {
    const disk = rig.use(await SmallDisk.mount(600));
    const recording = await (await rig.connect()).record(configFor(join(disk.path, 'session')));
    const events = new Events(recording);
    await events.first('fragmentWritten');
    await disk.fill(400_000_000);
    const warning = await events.first('diskLow');
    assert.equal(warning.stopping, false);
    assert.ok(warning.freeBytes < 500_000_000 && warning.freeBytes > 100_000_000, String(warning.freeBytes));
    await events.nextFragment();
    await disk.fill(90_000_000);
    await events.first('diskLow', ({ stopping }) => stopping);
    await eventually(async () => (await recording.status()).state === 'stopped');
    const manifest = await recording.stop();
    assert.equal(manifest.state, 'finished');
    await assertKept(join(disk.path, 'session'), manifest);
  });

  it('keeps what fitted when the disk is full at once', async () => {
    const disk = rig.use(await SmallDisk.mount(110));
    const folder = join(disk.path, 'session');
    const connection = await rig.connect();
    const recording = await connection.record(configFor(folder));
    const events = new Events(recording);
    await eventually(async () => ((await recording.status()).services.audio?.bytesOnDisk ?? 0) > 44);
    await disk.fill();
    // Either the disk watch or the write that failed comes first.
    await Promise.race([events.first('diskLow', ({ stopping }) => stopping), events.first('serviceFailed')]);
    await recording.stop();
    await disk.release();
    await assertKept(folder, await connection.recover(folder));
  });

  it('keeps the picture until the display server died, and the sound after it', async () => {
    const folder = rig.folder('display');
    const recording = await (await rig.connect()).record(configFor(folder));
    const events = new Events(recording);
    await events.nextFragment();
    await rig.screen.dispose();
    await events.first('sourceLost', ({ service }) => service === 'video');
    const soundBefore = (await recording.status()).services.audio?.bytesOnDisk ?? 0;
    await eventually(async () => ((await recording.status()).services.audio?.bytesOnDisk ?? 0) > soundBefore);
    const manifest = await recording.stop();
    const gap = manifest.gaps.find(({ service }) => service === 'video');
    assert.ok(gap && gap.fromMs < gap.toMs && gap.toMs === manifest.durationMs, JSON.stringify(manifest));
    await assertKept(folder, manifest);
  });
});

/** Every file that the manifest names is there and decodes to its end without an error. */
async function assertKept(folder: string, manifest: RecordingManifest): Promise<void> {
  const files = [...manifest.takes, ...manifest.segments];
  assert.ok(manifest.takes.length > 0 && manifest.segments.length > 0, JSON.stringify(manifest));
  const present = await readdir(folder);
  for (const { path, durationMs } of files) {
    assert.ok(present.includes(path), `${path} is missing`);
    assert.ok(durationMs > 0, `${path} is empty`);
    // Without a word from the decoder: -xerror ends at the first damaged frame.
    await capture('ffmpeg', ['-v', 'error', '-xerror', '-i', join(folder, path), '-f', 'null', '-']);
  }
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail('It never came to this.');
}
