/** Runs other programs for the scripts: to their end, with a clear error when they fail. */
import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Whether the module is what the user ran, as opposed to imported. */
export function isMain(moduleUrl: string): boolean {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === fileURLToPath(moduleUrl);
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Given to the program as its input. */
  readonly input?: string;
}

/** Runs a program whose output the user sees. Rejects when it does not end with 0. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<void> {
  await spawned(command, args, options, 'inherit');
}

/** Runs a program quietly and answers what it wrote to its standard output; what it wrote to both is in the error. */
export async function capture(command: string, args: readonly string[], options: RunOptions = {}): Promise<Buffer> {
  return await spawned(command, args, options, 'pipe');
}

async function spawned(
  command: string,
  args: readonly string[],
  options: RunOptions,
  output: 'inherit' | 'pipe',
): Promise<Buffer> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', output, output],
  });
  child.stdin?.end(options.input);
  const written: Buffer[] = [];
  const complaints: Buffer[] = [];
  child.stdout?.on('data', (data: Buffer) => written.push(data));
  child.stderr?.on('data', (data: Buffer) => complaints.push(data));
  const ended = await new Promise<string | number>((settle, reject) => {
    child.once('error', (cause) => {
      reject(new Error(`${command} could not be started: ${cause.message}`, { cause }));
    });
    child.once('close', (code, signal) => {
      settle(code ?? signal ?? 'unknown');
    });
  });
  if (ended !== 0) {
    const said = Buffer.concat([...complaints, ...written])
      .toString('utf8')
      .trim()
      .slice(-4000);
    throw new Error(`${[command, ...args].join(' ').slice(0, 300)} ended with ${ended}${said ? `:\n${said}` : ''}`);
  }
  return Buffer.concat(written);
}
