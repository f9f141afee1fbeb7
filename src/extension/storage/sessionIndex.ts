/**
 * The index: session metadata in a sql.js database, for lists that do not open every file. The only import of sql.js.
 * Invariant: it is derived. Whatever is wrong with it, it is rebuilt from the metadata files, which are the truth.
 */
import { basename } from 'node:path';
import initSqlJs, { type Database, type SqlJsStatic } from 'sql.js';
import { CodedError, toCodedError } from '../../shared/errors.ts';
import type { SessionMetadata, SessionStatus } from '../../shared/model/sessionMetadata.ts';
import type { Files } from '../platform/files.ts';
import { parseMetadata } from './sessionStorage.ts';
import type { StoragePaths } from './storagePaths.ts';

/** Raised when the tables change: an index of another version is thrown away and rebuilt. */
const indexVersion = 1;

const schema = `
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY, status TEXT NOT NULL, startTime TEXT NOT NULL, metadata TEXT NOT NULL,
    fileSize INTEGER NOT NULL, fileMtimeMs REAL NOT NULL);
  CREATE INDEX sessions_status_startTime ON sessions (status, startTime);
  CREATE INDEX sessions_startTime ON sessions (startTime);
  CREATE TABLE tags (sessionId TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE, tag TEXT NOT NULL,
    PRIMARY KEY (sessionId, tag)) WITHOUT ROWID;
  CREATE INDEX tags_tag ON tags (tag);
  PRAGMA user_version = ${indexVersion};`;

export interface SessionFilter {
  readonly status?: readonly SessionStatus[];
  readonly startAfter?: Date;
  readonly startBefore?: Date;
  readonly tags?: readonly string[];
  readonly limit?: number;
  readonly offset?: number;
}

export interface SessionIndexOptions {
  readonly files: Files;
  readonly paths: StoragePaths;
  /** The bytes of sql-wasm.wasm. */
  readonly loadWasm: () => Promise<Uint8Array>;
  readonly onDamaged: (error: CodedError) => void;
  /** True for the one process that may write the index file; others keep theirs in memory. */
  readonly mayWrite: () => boolean;
}

export class SessionIndex {
  readonly #options: SessionIndexOptions;
  readonly #database: Database;

  private constructor(options: SessionIndexOptions, database: Database) {
    this.#options = options;
    this.#database = database;
  }

  /** Opens the stored index where there is a good one, and brings it up to date with the files. */
  static async open(options: SessionIndexOptions): Promise<SessionIndex> {
    const wasm = await options.loadWasm();
    // sql.js wants an ArrayBuffer of its own; a Buffer may be a window into a larger one.
    const sql = await initSqlJs({ wasmBinary: new Uint8Array(wasm).buffer });
    const index = new SessionIndex(options, (await openStored(sql, options)) ?? newDatabase(sql));
    await index.refresh();
    return index;
  }

  /** Newest first. */
  list(filter: SessionFilter = {}): SessionMetadata[] {
    const conditions: string[] = [];
    const values: (string | number)[] = [];
    const oneOf = (sql: (marks: string) => string, wanted: readonly string[] | undefined) => {
      if (!wanted) return;
      conditions.push(sql(wanted.map(() => '?').join(',')));
      values.push(...wanted);
    };
    oneOf((marks) => `status IN (${marks})`, filter.status);
    oneOf((marks) => `id IN (SELECT sessionId FROM tags WHERE tag IN (${marks}))`, filter.tags);
    if (filter.startAfter) {
      conditions.push('startTime >= ?');
      values.push(filter.startAfter.toISOString());
    }
    if (filter.startBefore) {
      conditions.push('startTime < ?');
      values.push(filter.startBefore.toISOString());
    }
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    const sql = `SELECT metadata FROM sessions ${where} ORDER BY startTime DESC, id LIMIT ? OFFSET ?`;
    const statement = this.#database.prepare(sql, [...values, filter.limit ?? -1, filter.offset ?? 0]);
    try {
      const found: SessionMetadata[] = [];
      // What is in the table was parsed by the schema when it was put there.
      while (statement.step()) found.push(JSON.parse(String(statement.get()[0])) as SessionMetadata);
      return found;
    } finally {
      statement.free();
    }
  }

  /** Reads what changed on disk since the last look: new, rewritten and deleted metadata files. Answers whether anything did. */
  async refresh(): Promise<boolean> {
    const { files, paths } = this.#options;
    const known = this.#knownFiles();
    let changed = false;
    for (const name of await files.list(paths.metadataFolder)) {
      const id = basename(name, '.json');
      if (name !== `${id}.json` || name.startsWith('.')) continue;
      const facts = await files.facts(`${paths.metadataFolder}/${name}`);
      if (!facts) continue;
      const before = known.get(id);
      known.delete(id);
      if (before?.size === facts.size && before.mtimeMs === facts.mtimeMs) continue;
      changed = (await this.#reread(id)) || changed;
    }
    for (const id of known.keys()) this.#database.run('DELETE FROM sessions WHERE id = ?', [id]);
    changed ||= known.size > 0;
    if (changed) await this.#save();
    return changed;
  }

  close(): void {
    this.#database.close();
  }

  async #reread(id: string): Promise<boolean> {
    const { files, paths } = this.#options;
    try {
      const path = paths.metadata(id);
      const facts = await files.facts(path);
      if (!facts) return false;
      this.#put(parseMetadata(await files.read(path), path), facts.size, facts.mtimeMs);
      return true;
    } catch (error) {
      this.#options.onDamaged(toCodedError(error, 'damaged'));
      return false;
    }
  }

  #put(metadata: SessionMetadata, fileSize: number, fileMtimeMs: number): void {
    const { id, status, startTime, tags } = metadata;
    this.#database.run('DELETE FROM tags WHERE sessionId = ?', [id]);
    this.#database.run('INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?)', [
      id,
      status,
      startTime,
      JSON.stringify(metadata),
      fileSize,
      fileMtimeMs,
    ]);
    for (const tag of new Set(tags)) this.#database.run('INSERT INTO tags VALUES (?, ?)', [id, tag]);
  }

  #knownFiles(): Map<string, { size: number; mtimeMs: number }> {
    const rows = this.#database.exec('SELECT id, fileSize, fileMtimeMs FROM sessions')[0]?.values ?? [];
    return new Map(rows.map(([id, size, mtimeMs]) => [String(id), { size: Number(size), mtimeMs: Number(mtimeMs) }]));
  }

  /** The index is only a cache: a failed save costs a rebuild at the next start, and is said in the log. */
  async #save(): Promise<void> {
    const { files, paths, mayWrite, onDamaged } = this.#options;
    if (!mayWrite()) return;
    try {
      await files.writeAtomic(paths.index, this.#database.export());
      // `export` reopens the database, which forgets its settings.
      this.#database.run('PRAGMA foreign_keys = ON');
    } catch (error) {
      onDamaged(toCodedError(error, 'ioError'));
    }
  }
}

function newDatabase(sql: SqlJsStatic): Database {
  const database = new sql.Database();
  database.run(schema);
  database.run('PRAGMA foreign_keys = ON');
  return database;
}

/** Nothing when the stored index is missing, torn, or of another version. */
async function openStored(sql: SqlJsStatic, options: SessionIndexOptions): Promise<Database | undefined> {
  const { files, paths, onDamaged } = options;
  if (!(await files.facts(paths.index))) return undefined;
  let database: Database | undefined;
  try {
    database = new sql.Database(await files.read(paths.index));
    const version = database.exec('PRAGMA user_version')[0]?.values[0]?.[0];
    const intact = database.exec('PRAGMA quick_check')[0]?.values[0]?.[0] === 'ok';
    if (version === indexVersion && intact) {
      database.run('PRAGMA foreign_keys = ON');
      return database;
    }
  } catch (error) {
    onDamaged(new CodedError('damaged', `${paths.index} could not be read and is rebuilt.`, { cause: error }));
  }
  database?.close();
  return undefined;
}
