/** Owns what a run started: processes in groups of their own and temporary folders, all gone when the run ends, however it ends. */
import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Resource {
  dispose(): Promise<void>;
}

/** A stack of resources, disposed in reverse. */
export class Resources implements Resource {
  private readonly owned: Resource[] = [];

  use<T extends Resource>(resource: T): T {
    this.owned.push(resource);
    return resource;
  }

  async dispose(): Promise<void> {
    for (let resource = this.owned.pop(); resource; resource = this.owned.pop()) {
      await resource.dispose().catch((error: unknown) => {
        console.error('While cleaning up:', error);
      });
    }
  }

  /** Cleans up when the user presses Ctrl+C, when the process is told to end and when something throws unseen. */
  disposeOnExit(): void {
    let leaving = false;
    const leave = (code: number): void => {
      // Ctrl+C arrives twice, from the terminal and from the program that started this one: the second must not cut the
      // cleaning short.
      if (leaving) return;
      leaving = true;
      void this.dispose().finally(() => process.exit(code));
    };
    process.on('SIGINT', () => {
      leave(130);
    });
    process.on('SIGTERM', () => {
      leave(143);
    });
    process.on('uncaughtException', (error) => {
      console.error(error);
      leave(1);
    });
  }
}

export class TemporaryFolder implements Resource {
  readonly path: string;

  constructor(purpose: string, parent = tmpdir()) {
    this.path = mkdtempSync(join(parent, `work-sessions-${purpose}-`));
    process.once('exit', this.remove);
  }

  async dispose(): Promise<void> {
    process.off('exit', this.remove);
    this.remove();
    return Promise.resolve();
  }

  private readonly remove = (): void => {
    // Processes that were just ended may still be writing their last file.
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
}

export interface OwnedProcessOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly stdio?: StdioOptions;
}

/** A program in a process group of its own, so that its children end with it. */
export class OwnedProcess implements Resource {
  readonly child: ChildProcess;
  /** The last of what it wrote to standard output and error, for error messages. */
  private tail = '';
  private readonly ended: Promise<void>;
  private readonly listeners = new Set<(line: string) => void>();

  constructor(
    private readonly command: string,
    args: readonly string[],
    options: OwnedProcessOptions = {},
  ) {
    this.child = spawn(command, args, {
      env: options.env ?? process.env,
      cwd: options.cwd,
      stdio: options.stdio ?? ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.ended = new Promise((resolve) => {
      this.child.once('error', () => {
        resolve();
      });
      this.child.once('close', () => {
        resolve();
      });
    });
    for (const stream of [this.child.stdout, this.child.stderr]) this.collect(stream);
    process.once('exit', this.killGroup);
  }

  get output(): string {
    return this.tail;
  }

  /** Resolves with the match of the first line that the pattern fits. Rejects when the program ends before, or too late. */
  async line(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    return await new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.listeners.delete(look);
        settle();
      };
      const look = (text: string): void => {
        const match = pattern.exec(text);
        if (match) {
          finish(() => {
            resolve(match);
          });
        }
      };
      const timer = setTimeout(() => {
        finish(() => {
          reject(new Error(`${this.command} did not get ready in ${timeoutMs / 1000} s:\n${this.tail}`));
        });
      }, timeoutMs);
      void this.ended.then(() => {
        finish(() => {
          reject(new Error(`${this.command} ended before it was ready:\n${this.tail}`));
        });
      });
      this.listeners.add(look);
      for (const text of this.tail.split('\n')) look(text);
    });
  }

  async dispose(): Promise<void> {
    process.off('exit', this.killGroup);
    this.signalGroup('SIGTERM');
    const patience = setTimeout(this.killGroup, 4000);
    await this.ended;
    clearTimeout(patience);
    // The leader is gone; what it started may not be.
    this.killGroup();
  }

  private collect(stream: NodeJS.ReadableStream | null): void {
    let rest = '';
    stream?.on('data', (data: Buffer) => {
      this.tail = (this.tail + data.toString('utf8')).slice(-8000);
      const lines = (rest + data.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) for (const listener of [...this.listeners]) listener(line);
    });
  }

  private readonly killGroup = (): void => {
    this.signalGroup('SIGKILL');
  };

  private signalGroup(signal: NodeJS.Signals): void {
    if (this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, signal);
    } catch {
      // Nobody is left in the group.
    }
  }
}
