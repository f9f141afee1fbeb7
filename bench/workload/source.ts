/** Makes up source code to look at: plausible lines of TypeScript, coloured as an editor colours them. Pure. */
import type { Random } from './random.ts';

const nouns = ['harbour', 'tide', 'vessel', 'chart', 'berth', 'signal', 'cargo', 'pilot', 'lock', 'current'] as const;
const verbs = ['load', 'plot', 'measure', 'release', 'forecast', 'dock', 'assign', 'verify'] as const;
const types = ['number', 'string', 'boolean', 'Tide[]', 'Map<string, Berth>', 'readonly Vessel[]'] as const;

export interface SourceFile {
  readonly name: string;
  readonly lines: string[];
}

export function makeFileName(random: Random): string {
  return `${random.pick(nouns)}${capital(random.pick(verbs))}.ts`;
}

export function makeFile(random: Random): SourceFile {
  const name = makeFileName(random);
  const lines = [`/** Owns the ${random.pick(nouns)}s of one ${random.pick(nouns)}. */`];
  for (let count = random.between(2, 6); count > 0; count--) {
    lines.push(`import { ${random.pick(verbs)}${capital(random.pick(nouns))} } from './${random.pick(nouns)}.ts';`);
  }
  const length = random.between(120, 260);
  while (lines.length < length) lines.push('', ...makeFunction(random));
  return { name, lines };
}

/** One line as somebody might type it inside a function. */
export function makeStatement(random: Random): string {
  const [first, second, third] = [random.pick(nouns), random.pick(nouns), random.pick(nouns)];
  switch (random.between(0, 6)) {
    case 0:
      return `const ${first} = await ${random.pick(verbs)}${capital(second)}(${third}, ${random.between(1, 9000)});`;
    case 1:
      return `if (${first}.${second}Count > ${random.between(0, 64)}) throw new Error('No ${third} left.');`;
    case 2:
      return `for (const ${first} of ${second}s) ${random.pick(verbs)}${capital(third)}(${first});`;
    case 3:
      return `// The ${first} comes before the ${second}: a ${third} may still wait for it.`;
    case 4:
      return `${first}s.set(\`${second}-\${${third}.id}\`, { ${second}, depth: ${random.between(1, 400) / 10} });`;
    case 5:
      return `const ${first}s = ${second}s.filter(({ ${third} }) => ${third} !== undefined).map(to${capital(first)});`;
    default:
      return `return ${first}.${second} ?? ${random.pick(verbs)}${capital(third)}('${first}');`;
  }
}

function makeFunction(random: Random): string[] {
  const noun = random.pick(nouns);
  const head = `export async function ${random.pick(verbs)}${capital(noun)}(${noun}: ${random.pick(types)}) {`;
  const body = Array.from({ length: random.between(2, 11) }, () => {
    const indent = '  '.repeat(random.between(1, 3));
    return `${indent}${makeStatement(random)}`;
  });
  return [head, ...body, '}'];
}

const colours = { keyword: 75, string: 173, comment: 65, number: 151, call: 187, plain: 252 };
const tokens =
  /(?<comment>\/\/.*$|\/\*.*$)|(?<string>'[^']*'?|`[^`]*`?)|(?<keyword>\b(?:await|async|const|export|for|from|function|if|import|new|of|return|throw)\b)|(?<number>\b\d[\d.]*)|(?<call>\b\w+(?=\())/g;

/** The line with terminal colours; what is cut off must be cut before. */
export function coloured(line: string): string {
  const painted = line.replaceAll(tokens, (text, ...rest) => {
    const groups = rest.at(-1) as Partial<Record<keyof typeof colours, string>>;
    const kind = (Object.keys(colours) as (keyof typeof colours)[]).find((name) => groups[name] !== undefined);
    return `${foreground(colours[kind ?? 'plain'])}${text}${foreground(colours.plain)}`;
  });
  return `${foreground(colours.plain)}${painted}`;
}

export function foreground(colour: number): string {
  return `\x1b[38;5;${colour}m`;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
