/** The main job, done in the editor as a person would: record some work, pause and resume, end, review, play and seek. */
import { join } from 'node:path';
import { probeSound, writeChime } from './media.ts';
import { TemporaryFolder } from './resources.ts';
import { ReviewPanel, type TimelineRow } from './reviewPanel.ts';
import { type Likeness, lookAtPicture } from './shownPicture.ts';
import type { SoundMeter } from './sound.ts';
import type { EditorRun } from './editorRun.ts';
import { listSessions, readSession, type StoredSession } from './storedSession.ts';
import { waitFor } from './waitFor.ts';

export interface TourOptions {
  /** How long it records at least; pauses are not counted. */
  readonly seconds: number;
  /** Where pictures go. */
  readonly out: string;
  readonly onStep: (text: string) => void;
}

/** What the review panel was seen to do. */
export interface ReviewFindings {
  readonly screenshot: string;
  readonly lightScreenshot: string;
  /** How far the picture advanced between Play and Pause. */
  readonly playedMs: number;
  /** Pictures shown in that time. */
  readonly shownFrames: number;
  /** From a clicked timeline item's moment to where the player then stood. */
  readonly seekErrorMs: number;
  readonly highlighted: boolean;
  readonly soundPlayed: boolean;
  /** Whether nothing was heard before Play. */
  readonly silentBefore: boolean;
  /** How much the player's picture is like the recorded one, in each theme. */
  readonly picture: Likeness;
  readonly lightPicture: Likeness;
  readonly kinds: readonly string[];
  /** Whether the link of an edit led to its line in its file. */
  readonly opensCode: boolean;
}

const seekToleranceMs = 1000;
const audible = 0.02;

/** Records a session; resolves when it lies on the disk. Throws when a step does not happen. */
export async function recordSession(run: EditorRun, { seconds, out, onStep }: TourOptions): Promise<StoredSession> {
  const { workbench, sound } = run;
  const earlier = new Set((await listSessions(run.storageRoot)).map(({ id }) => id));
  onStep('Start the session from the command palette');
  await workbench.run('Work Sessions: Start Session');
  await workbench.waitForStatus(/^\d+:\d\d$/, 20_000);

  onStep('Open tides.ts and edit it');
  await workbench.openFile('tides.ts');
  await workbench.goToLine(17);
  await workbench.page.keyboard.press('End');
  await workbench.type('\n\nexport const canPass = (depth: number, draught: number) =>');
  await workbench.type('\ndepth > draught + 0.5; // metres');
  await workbench.save();

  onStep('Run a command in the terminal');
  await workbench.runInTerminal('wc -l src/*.ts', /\d+ total/);

  onStep('Play a sound, and speak into the microphone');
  const sounds = new TemporaryFolder('chime');
  try {
    const chime = join(sounds.path, 'chime.wav');
    await writeChime(chime, 2);
    await Promise.all([sound.play(chime), sound.play(chime, 'room')]);
  } finally {
    await sounds.dispose();
  }
  await workbench.screenshot(join(out, 'recording.png'));

  onStep('Pause, read another file, and resume');
  await workbench.run('Work Sessions: Pause Session');
  await workbench.waitForStatus(/^Paused \d+:\d\d$/);
  await workbench.openFile('README.md');
  await workbench.run('Work Sessions: Resume Session');
  await workbench.waitForStatus(/^\d+:\d\d$/);

  onStep('Open harbours.ts and edit it');
  await workbench.openFile('harbours.ts');
  await workbench.goToLine(16);
  await workbench.page.keyboard.press('End');
  await workbench.type('\n// Levels of the survey of last spring.');
  await workbench.save();

  onStep(`Go on until ${seconds} s are recorded`);
  await workbench.openFile('report.ts');
  await workbench.goToLine(15);
  await workbench.page.keyboard.press('End');
  await workbench.type('\n\n// ');
  const words = 'The harbour master prints this table at dawn, and pins it to the door.'.split(' ');
  const secondsShown = async (): Promise<number> => secondsOf(await workbench.waitForStatus(/^\d+:\d\d$/));
  for (let at = 0; at < words.length || (await secondsShown()) < seconds; at++) {
    await workbench.type(`${words[at % words.length] ?? ''}${at % words.length === words.length - 1 ? '\n// ' : ' '}`);
  }
  await workbench.save();

  onStep('End the session');
  await workbench.run('Work Sessions: End Session');
  const ended = await waitFor(
    'the ended session on the disk',
    async () =>
      (await listSessions(run.storageRoot)).find(({ id, status }) => !earlier.has(id) && status === 'completed'),
    { timeoutMs: 30_000 },
  );
  return await readSession(run.storageRoot, ended.id);
}

/** Opens the newest session's review, plays it where its sound is, and seeks. Throws when a step does not happen. */
export async function reviewSession(
  run: EditorRun,
  session: StoredSession,
  { out, onStep }: Pick<TourOptions, 'out' | 'onStep'>,
): Promise<ReviewFindings> {
  onStep('Open the review');
  await run.workbench.run('View: Hide Panel');
  await run.workbench.run('Notifications: Clear All Notifications');
  const panel = await ReviewPanel.open(run.workbench, session.metadata.id);
  await waitFor('the first picture of the video', async () => (await panel.playerState()).width > 0);

  const rows = await panel.rows();
  const meter = run.sound.listen();
  try {
    onStep('Play where the sound was');
    const played = await playSound(panel, rows, session, meter);
    onStep('Seek by clicking an edit in the timeline');
    const sought = await seek(panel, session);
    const screenshot = join(out, 'review.png');
    const picture = await lookAtPicture(panel, session, screenshot);
    onStep('See it in a light theme');
    const lightScreenshot = join(out, 'review-light.png');
    await run.workbench.toggleTheme();
    await panel.waitForTheme('light');
    const lightPicture = await lookAtPicture(panel, session, lightScreenshot);
    await run.workbench.toggleTheme();
    await panel.waitForTheme('dark');
    onStep('Open the code of that moment');
    const opensCode = await openCode(run, panel);
    await panel.screenshot(join(out, 'review-beside-code.png'));
    return {
      opensCode,
      screenshot,
      lightScreenshot,
      picture,
      lightPicture,
      kinds: [...new Set(rows.map(({ kind }) => kind))],
      ...played,
      ...sought,
    };
  } finally {
    await meter.dispose();
  }
}

async function playSound(
  panel: ReviewPanel,
  rows: readonly TimelineRow[],
  session: StoredSession,
  meter: SoundMeter,
): Promise<Pick<ReviewFindings, 'playedMs' | 'shownFrames' | 'soundPlayed' | 'silentBefore'>> {
  const soundMs = await firstSoundMs(session);
  const before = rows.filter(({ offsetMs, kind }) => offsetMs <= (soundMs ?? 0) && kind !== 'paused').at(-1) ?? rows[0];
  if (!before) throw new Error('The timeline is empty.');
  await panel.clickRow(before);
  await panel.waitForSeek(before.offsetMs - takeStart(session), seekToleranceMs);
  const silentBefore = meter.takePeak() < audible;
  const start = await panel.playerState();
  await panel.togglePlay();
  // Long enough to reach the sound and to hear it for a second.
  const wantedMs = Math.max(3000, (soundMs ?? 0) - before.offsetMs + 1000);
  let soundPlayed = false;
  await waitFor(
    `the video to advance by ${Math.round(wantedMs)} ms`,
    async () => {
      soundPlayed ||= meter.takePeak() > audible;
      const { currentMs, error } = await panel.playerState();
      if (error) throw new Error(`The player says: ${error}`);
      return currentMs - start.currentMs >= wantedMs;
    },
    { timeoutMs: wantedMs + 10_000 },
  );
  await panel.togglePlay();
  const end = await waitFor('the player to pause', async () => {
    const state = await panel.playerState();
    return state.paused && state;
  });
  return {
    playedMs: Math.round(end.currentMs - start.currentMs),
    shownFrames: end.shownFrames - start.shownFrames,
    soundPlayed,
    silentBefore,
  };
}

/** To the last edit, as edits are what people look for; to any other item where there is none. */
async function seek(
  panel: ReviewPanel,
  session: StoredSession,
): Promise<Pick<ReviewFindings, 'seekErrorMs' | 'highlighted'>> {
  const rows = await panel.rows();
  const target = rows.findLast(({ kind }) => kind === 'edit') ?? rows.at(-1);
  if (!target) throw new Error('The timeline is empty.');
  await panel.clickRow(target);
  const expected = target.offsetMs - takeStart(session);
  const stoodAt = await panel.waitForSeek(expected, seekToleranceMs);
  const highlighted = await waitFor('the clicked item to be highlighted', async () =>
    (await panel.rows()).some(
      ({ offsetMs, kind, current }) => current && kind === target.kind && offsetMs === target.offsetMs,
    ),
  ).catch(() => false);
  return { seekErrorMs: Math.round(Math.abs(stoodAt - expected)), highlighted };
}

async function openCode({ workbench }: EditorRun, panel: ReviewPanel): Promise<boolean> {
  const edit = (await panel.rows()).findLast(({ kind }) => kind === 'edit');
  if (!edit) return false;
  const line = await panel.openCodeOf(edit);
  return await waitFor('the cursor in the line of the edit', async () => (await workbench.cursorLine()) === line).catch(
    () => false,
  );
}

/** Media time of the first sound that was recorded. */
async function firstSoundMs(session: StoredSession): Promise<number | undefined> {
  for (const segment of session.audio) {
    const { firstLoudMs } = await probeSound(segment.path);
    if (firstLoudMs !== undefined) return segment.offsetMs + firstLoudMs;
  }
  return undefined;
}

function takeStart(session: StoredSession): number {
  return session.takes[0]?.offsetMs ?? 0;
}

function secondsOf(status: string): number {
  return status.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}
