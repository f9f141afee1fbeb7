/**
 * A picture of somebody coding, as strokes: what to write to the terminal, and when. Pure, and endless.
 * Invariant: the same seed and size give the same strokes at the same times.
 */
import { EditorPicture, type TerminalSize } from './editorPicture.ts';
import { type Random, seededRandom } from './random.ts';
import { makeFile, makeFileName, makeStatement } from './source.ts';

export type WorkKind = 'switch' | 'type' | 'read' | 'scroll' | 'build';

export interface Stroke {
  /** Milliseconds since the work began. */
  readonly atMs: number;
  /** Text with terminal sequences. */
  readonly write: string;
  /** Said by the first stroke of something new. */
  readonly event?: { readonly kind: WorkKind; readonly text: string };
}

/** What is done in about forty seconds, in an order that the seed decides: every minute has some of everything. */
const round: readonly WorkKind[] = [
  ...(['type', 'type', 'type', 'type', 'type'] as const),
  ...(['read', 'read', 'read', 'scroll', 'scroll', 'switch', 'build'] as const),
];

/** The first stroke, at 0 ms, draws the whole screen. */
export function* strokes(seed: number, size: TerminalSize): Generator<Stroke, never> {
  const random = seededRandom(seed);
  const picture = new EditorPicture(size);
  let atMs = 0;
  const first = picture.open(makeFile(random));
  yield { atMs, write: first, event: { kind: 'switch', text: picture.name } };
  let ahead: WorkKind[] = [];
  for (;;) {
    if (ahead.length === 0) ahead = shuffled(round, random);
    const kind = ahead.pop() ?? 'read';
    let isFirst = true;
    for (const { afterMs, write, text } of acts[kind](random, picture)) {
      atMs += afterMs;
      yield isFirst ? { atMs, write, event: { kind, text: text ?? '' } } : { atMs, write };
      isFirst = false;
    }
  }
}

interface Act {
  readonly afterMs: number;
  readonly write: string;
  readonly text?: string;
}

const acts: Readonly<Record<WorkKind, (random: Random, picture: EditorPicture) => Iterable<Act>>> = {
  *switch(random, picture) {
    const write = picture.open(makeFile(random));
    yield { afterMs: random.between(200, 700), write, text: picture.name };
    // A look at what was opened.
    yield { afterMs: random.between(600, 1800), write: '' };
  },

  *type(random, picture) {
    const line = picture.firstLine + random.between(2, Math.max(2, picture.height - 4));
    const indent = 2 * random.between(1, 3);
    const statement = makeStatement(random);
    yield { afterMs: random.between(150, 500), write: picture.insertLine(line, indent), text: statement };
    let typed = ' '.repeat(indent);
    for (const character of statement) {
      if (random.next() < 0.02) yield* mistake(random, picture, line, typed);
      typed += character;
      // Words come in bursts, with a breath between them.
      const afterMs = character === ' ' ? random.between(80, 240) : random.between(45, 130);
      yield { afterMs, write: picture.setLine(line, typed) };
    }
  },

  *read(random) {
    const ms = random.between(900, 4200);
    yield { afterMs: 0, write: '', text: String(ms) };
    yield { afterMs: ms, write: '' };
  },

  *scroll(random, picture) {
    const steps = random.between(6, 18);
    const down = picture.firstLine < picture.lineCount / 2;
    const lines = down ? 3 : -3;
    for (let step = 0; step < steps; step++) {
      const write = picture.scrollTo(picture.firstLine + lines);
      yield { afterMs: step === 0 ? random.between(100, 400) : random.between(35, 80), write, text: String(steps) };
    }
    yield { afterMs: random.between(300, 900), write: '' };
  },

  *build(random, picture) {
    const count = random.between(30, 90);
    yield { afterMs: random.between(200, 600), write: picture.print('$ npm run build'), text: String(count) };
    for (let file = 1; file <= count; file++) {
      const line = `\x1b[32m✓\x1b[0m ${makeFileName(random).padEnd(28)} ${random.between(2, 400)} ms  [${file}/${count}]`;
      yield { afterMs: random.between(12, 60), write: picture.print(line) };
    }
    yield { afterMs: random.between(700, 1600), write: picture.closeOutput() };
  },
};

function* mistake(random: Random, picture: EditorPicture, line: number, typed: string): Iterable<Act> {
  yield {
    afterMs: random.between(50, 120),
    write: picture.setLine(line, `${typed}${random.pick(['e', 'r', 't', 'n'])}`),
  };
  yield { afterMs: random.between(180, 400), write: picture.setLine(line, typed) };
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, order: random.next() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
