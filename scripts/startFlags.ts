/** What the command line of `npm start` says. Pure. */
import { parseArgs } from 'node:util';

export interface StartFlags {
  readonly exit: boolean;
  readonly desktop: boolean;
  /** 1 to 3600. */
  readonly seconds: number;
  readonly out: string | undefined;
}

/** One line that says what to write instead. */
export interface WrongFlags {
  readonly complaint: string;
}

const options = {
  exit: { type: 'boolean' },
  desktop: { type: 'boolean' },
  seconds: { type: 'string' },
  out: { type: 'string' },
} as const;

const usage = 'npm start knows --exit, --seconds N, --out DIR and --desktop, all behind "--": npm start -- --exit';

export function readStartFlags(args: readonly string[]): StartFlags | WrongFlags {
  // Not strict: parseArgs' own complaints have several lines and know nothing of npm.
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  let flags: StartFlags = { exit: false, desktop: false, seconds: 20, out: undefined };
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') return { complaint: `"${token.value}" is not understood. ${usage}` };
    const { name, rawName, value } = token;
    switch (name) {
      case 'exit':
      case 'desktop':
        if (value !== undefined) return { complaint: `${rawName} takes no value. ${usage}` };
        flags = { ...flags, [name]: true };
        break;
      case 'seconds': {
        const seconds = value?.trim() ? Number(value) : NaN;
        if (!(seconds >= 1 && seconds <= 3600)) {
          return { complaint: '--seconds takes a number from 1 to 3600, as in: npm start -- --seconds 30' };
        }
        flags = { ...flags, seconds };
        break;
      }
      case 'out':
        if (!value || value.startsWith('-')) {
          return { complaint: '--out takes a folder, as in: npm start -- --out out/tour' };
        }
        flags = { ...flags, out: value };
        break;
      default:
        return { complaint: `There is no ${rawName}. ${usage}` };
    }
  }
  return flags;
}
