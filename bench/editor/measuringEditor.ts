/** Owns an editor with ours, the companion and the empty extension installed, and reads what the companion answers. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EditorRun } from '../../scripts/editor/editorRun.ts';
import { type Resource, Resources, TemporaryFolder } from '../../scripts/editor/resources.ts';
import { waitFor } from '../../scripts/editor/waitFor.ts';
import type { BenchContext } from '../benches.ts';
import { type Answer, answerSchema, resultVariable, type Task, taskVariable } from './companion/measurement.ts';
import { companionVsix, emptyVsix } from './companionVsix.ts';

export class MeasuringEditor implements Resource {
  private constructor(
    private readonly resources: Resources,
    private readonly editor: EditorRun,
    private readonly resultPath: string,
  ) {}

  /** The companion begins with its task as soon as the editor runs. */
  static async open(
    { vsix, say, resources: owner }: BenchContext,
    task: (storageRoot: string) => Task,
  ): Promise<MeasuringEditor> {
    const resources = owner.use(new Resources());
    try {
      const folder = resources.use(new TemporaryFolder('bench-editor'));
      const resultPath = join(folder.path, 'answer.json');
      const userDataFolder = join(folder.path, 'user-data');
      const storageRoot = join(userDataFolder, 'User/globalStorage/work-sessions.work-sessions');
      const editor = resources.use(
        await EditorRun.open({
          vsix: [vsix, await emptyVsix(folder.path), await companionVsix(folder.path)],
          userDataFolder,
          env: { [taskVariable]: JSON.stringify(task(storageRoot)), [resultVariable]: resultPath },
          onStep: say,
        }),
      );
      return new MeasuringEditor(resources, editor, resultPath);
    } catch (error) {
      await resources.dispose();
      throw error;
    }
  }

  /** The answer, once; the file is free for the next one then. */
  async answer<K extends Answer['kind']>(kind: K, timeoutMs = 60_000): Promise<Extract<Answer, { kind: K }>> {
    const text = await waitFor(
      'the answer of the companion',
      async () => await readFile(this.resultPath, 'utf8').catch(() => undefined),
      { timeoutMs, everyMs: 100 },
    );
    await rm(this.resultPath);
    const answer = answerSchema.parse(JSON.parse(text));
    if (answer.kind === 'failure') throw new Error(`In the editor: ${answer.message}`);
    if (answer.kind !== kind) throw new Error(`The companion answered ${answer.kind}, not ${kind}.`);
    return answer as Extract<Answer, { kind: K }>;
  }

  /** A new window with a new extension host; what was loaded from disk stays in the system's cache. */
  async reload(): Promise<void> {
    await this.editor.workbench.page.reload();
    await this.editor.workbench.ready();
  }

  async dispose(): Promise<void> {
    await this.resources.dispose();
  }
}
