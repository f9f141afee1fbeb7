/** Draws an editor in a terminal: tabs, numbered lines, an output panel, a status line. Answers what to write; writes nothing. */
import { coloured, foreground, type SourceFile } from './source.ts';

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

const gutter = 7;
const reset = '\x1b[0m';
const bar = '\x1b[48;5;236m';

export class EditorPicture {
  private file: SourceFile = { name: '', lines: [] };
  private tabs: string[] = [];
  private top = 0;
  private output: string[] = [];

  constructor(private readonly size: TerminalSize) {}

  get lineCount(): number {
    return this.file.lines.length;
  }
  get firstLine(): number {
    return this.top;
  }
  /** Lines of code that are seen. */
  get height(): number {
    return this.size.rows - 2 - (this.output.length > 0 ? this.panelRows : 0);
  }
  get name(): string {
    return this.file.name;
  }

  /** The last four files stay in tabs. */
  open(file: SourceFile): string {
    this.file = file;
    this.tabs = [...this.tabs.filter((name) => name !== file.name), file.name].slice(-4);
    this.top = 0;
    return this.all();
  }

  all(): string {
    return `\x1b[?25l${reset}\x1b[2J${this.tabLine()}${this.code()}${this.panel()}${this.status(1, 1)}`;
  }

  /** Moves the view so that `top` is the first line seen. */
  scrollTo(top: number): string {
    this.top = Math.max(0, Math.min(top, this.lineCount - this.height));
    return `\x1b[?25l${this.code()}${this.status(this.top + 1, 1)}`;
  }

  /** Puts an empty line in, and the cursor to where its text will begin. */
  insertLine(line: number, indent: number): string {
    this.file.lines.splice(line, 0, ' '.repeat(indent));
    return `${this.code()}${this.cursor(line, indent)}\x1b[?25h`;
  }

  /** What a key changes: its line, and the position in the status line. */
  setLine(line: number, text: string): string {
    this.file.lines[line] = text;
    return `${this.row(line)}${this.status(line + 1, text.length + 1)}${this.cursor(line, text.length)}`;
  }

  /** Adds a line to the output panel, which opens with the first one. */
  print(text: string): string {
    const opens = this.output.length === 0;
    this.output.push(text);
    return `\x1b[?25l${opens ? this.code() : ''}${this.panel()}`;
  }

  closeOutput(): string {
    this.output = [];
    return this.code();
  }

  private get panelRows(): number {
    return Math.floor(this.size.rows / 3);
  }

  private tabLine(): string {
    const drawn = this.tabs.map((name) => (name === this.file.name ? `${reset}  ${name}  ` : `${bar}  ${name}  `));
    return `${at(1, 1)}${bar}\x1b[K${drawn.join('')}${reset}`;
  }

  private code(): string {
    return Array.from({ length: this.height }, (_, index) => this.row(this.top + index)).join('');
  }

  private row(line: number): string {
    const place = at(line - this.top + 2, 1);
    const text = this.file.lines[line];
    if (text === undefined) return `${place}${reset}\x1b[K`;
    const number = `${foreground(240)}${String(line + 1).padStart(gutter - 2)}  `;
    return `${place}${reset}${number}${coloured(text.slice(0, this.size.columns - gutter))}${reset}\x1b[K`;
  }

  private panel(): string {
    if (this.output.length === 0) return '';
    const first = this.size.rows - this.panelRows;
    const shown = this.output.slice(-(this.panelRows - 1));
    const lines = Array.from({ length: this.panelRows - 1 }, (_, index) => {
      return `${at(first + 1 + index, 1)}\x1b[K${(shown[index] ?? '').slice(0, this.size.columns)}`;
    });
    return `${at(first, 1)}${bar}\x1b[K  OUTPUT${reset}${lines.join('')}`;
  }

  private status(line: number, column: number): string {
    const right = `Ln ${line}, Col ${column}   Spaces: 2   UTF-8   TypeScript `;
    return `${at(this.size.rows, 1)}\x1b[48;5;25m\x1b[K  main   ${this.file.name}${at(this.size.rows, this.size.columns - right.length)}${right}${reset}`;
  }

  private cursor(line: number, column: number): string {
    return at(line - this.top + 2, gutter + column + 1);
  }
}

function at(row: number, column: number): string {
  return `\x1b[${row};${column}H`;
}
