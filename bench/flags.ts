/** What the command line of `npm run bench` says. Pure. */
import { parseArgs } from 'node:util';

export interface BenchFlags {
  readonly names: readonly string[];
  readonly json: string | undefined;
  readonly vsix: string | undefined;
  readonly seconds: number;
  readonly seeds: readonly number[];
  readonly long: boolean;
}

/** Throws with words for the user. */
export function parseFlags(args: readonly string[]): BenchFlags {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      vsix: { type: 'string' },
      seconds: { type: 'string', default: '60' },
      seeds: { type: 'string', default: '1,2,3' },
      long: { type: 'boolean', default: false },
    },
  });
  const seconds = Number(values.seconds);
  if (!(seconds >= 2 && seconds <= 3600)) throw new Error('--seconds takes a number from 2 to 3600.');
  const seeds = values.seeds.split(',').map((text) => (text.trim() === '' ? NaN : Number(text)));
  if (!seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0)) {
    throw new Error('--seeds takes whole numbers with commas between them, as in 1,2,3.');
  }
  return { names: positionals, json: values.json, vsix: values.vsix, seconds, seeds, long: values.long };
}
