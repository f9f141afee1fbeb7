/** The index: lists and filters, follows the files, and is rebuilt whenever it is not good. */
import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import initSqlJs from 'sql.js';
import type { CodedError } from '../../../src/shared/errors.ts';
import type { SessionMetadata } from '../../../src/shared/model/sessionMetadata.ts';
import { SessionIndex } from '../../../src/extension/storage/sessionIndex.ts';
import { metadataOf } from '../../fakes/metadata.ts';
import { sessionStoreIn } from '../../fakes/sessionStore.ts';
import { temporaryFolder } from '../../fakes/temporaryFolder.ts';

const wasmPath = new URL('../../../node_modules/sql.js/dist/sql-wasm.wasm', import.meta.url);

describe('SessionIndex', () => {
  const folder = temporaryFolder();
  const complaints: CodedError[] = [];
  const opened: SessionIndex[] = [];
  const open = async (mayWrite = true) => {
    const { files, paths } = sessionStoreIn(folder());
    const loadWasm = () => readFile(wasmPath);
    const onDamaged = (error: CodedError) => complaints.push(error);
    const index = await SessionIndex.open({ files, paths, loadWasm, onDamaged, mayWrite: () => mayWrite });
    opened.push(index);
    return index;
  };
  const save = async (...sessions: SessionMetadata[]) => {
    for (const session of sessions) await sessionStoreIn(folder()).storage.saveMetadata(session);
  };
  const names = (index: SessionIndex, filter = {}) => index.list(filter).map(({ name }) => name);
  const indexPath = () => sessionStoreIn(folder()).paths.index;

  beforeEach(() => complaints.splice(0));
  afterEach(() => opened.splice(0).forEach((index) => index.close()));

  const monday = metadataOf({ name: 'Monday', startTime: '2026-11-16T09:00:00.000Z', tags: ['api'] });
  const tuesday = metadataOf({ name: 'Tuesday', startTime: '2026-11-17T09:00:00.000Z', status: 'interrupted' });
  const friday = metadataOf({ name: 'Friday', startTime: '2026-11-20T09:00:00.000Z', tags: ['api', 'web'] });

  it('lists the newest first, filtered', async () => {
    await save(monday, friday, tuesday);
    const index = await open();
    assert.deepEqual(names(index), ['Friday', 'Tuesday', 'Monday']);
    assert.deepEqual(names(index, { status: ['interrupted'] }), ['Tuesday']);
    assert.deepEqual(names(index, { tags: ['api'] }), ['Friday', 'Monday']);
    assert.deepEqual(names(index, { startAfter: new Date('2026-11-17T00:00:00Z'), limit: 1, offset: 1 }), ['Tuesday']);
    assert.deepEqual(names(index, { startBefore: new Date('2026-11-17T00:00:00Z') }), ['Monday']);
    assert.deepEqual(index.list({ tags: ['web'] }), [friday]);
  });

  it('notices new, changed and deleted sessions', async () => {
    await save(monday, tuesday);
    const index = await open();
    assert.equal(await index.refresh(), false);
    await save({ ...monday, name: 'Renamed', tags: ['other'] }, friday);
    await rm(sessionStoreIn(folder()).paths.metadata(tuesday.id));
    assert.equal(await index.refresh(), true);
    assert.deepEqual(names(index), ['Friday', 'Renamed']);
    assert.deepEqual(names(index, { tags: ['api'] }), ['Friday']);
  });

  it('is read again from its file', async () => {
    await save(monday, friday);
    await open();
    assert.equal((await readFile(indexPath())).subarray(0, 15).toString(), 'SQLite format 3');
    assert.deepEqual(names(await open()), ['Friday', 'Monday']);
    assert.deepEqual(complaints, []);
  });

  it('is not written by a window that may not', async () => {
    await save(monday);
    assert.deepEqual(names(await open(false)), ['Monday']);
    await assert.rejects(readFile(indexPath()), { code: 'ENOENT' });
  });

  it('is rebuilt when it is torn, empty, something else, or of another version', async () => {
    await save(monday, friday);
    await open();
    const good = await readFile(indexPath());
    const sql = await initSqlJs({ wasmBinary: new Uint8Array(await readFile(wasmPath)).buffer });
    const newer = new sql.Database();
    newer.run('CREATE TABLE sessions (id TEXT); PRAGMA user_version = 99;');
    const spoiled = [good.subarray(0, 5000), Buffer.alloc(0), Buffer.from('no database'), newer.export()];
    newer.close();
    for (const data of spoiled) {
      await writeFile(indexPath(), data);
      assert.deepEqual(names(await open()), ['Friday', 'Monday']);
      assert.deepEqual(names(await open()), ['Friday', 'Monday'], 'and saved again');
    }
  });

  it('lists the good sessions beside a damaged one, and names that one', async () => {
    await save(monday);
    const { paths } = sessionStoreIn(folder());
    await mkdir(dirname(paths.metadata(friday.id)), { recursive: true });
    await writeFile(paths.metadata(friday.id), '{"torn');
    await writeFile(`${paths.metadataFolder}/notes.json`, 'not ours');
    assert.deepEqual(names(await open()), ['Monday']);
    assert.ok(complaints.some(({ message }) => message.includes(friday.id)));
  });
});
