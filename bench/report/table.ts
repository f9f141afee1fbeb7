/** The table that the user sees. Pure. */
import { brief, type MeasuredRow } from './rows.ts';

const heads = ['what', 'ours', 'peer', 'unit', 'ratio', 'goal', 'holds', 'min–max (runs)'];
const numeric = new Set(['ours', 'peer', 'ratio']);

export function tableOf(rows: readonly MeasuredRow[]): string {
  return tableOfColumns([heads, ...rows.map(cellsOf)]);
}

/** Lines of cells, the first of which are the heads. */
export function tableOfColumns(lines: readonly (readonly string[])[]): string {
  const [heads = []] = lines;
  const widths = heads.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const draw = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return numeric.has(heads[column] ?? '') ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [draw(heads), rule, ...lines.slice(1).map(draw)].join('\n');
}

function cellsOf({ row, note }: MeasuredRow): string[] {
  const { what, ours, peer, unit, ratio, goal, holds } = row;
  return [
    what,
    brief(ours),
    peer === null ? '–' : brief(peer),
    unit,
    ratio === null ? '–' : brief(ratio),
    goal ?? '–',
    holds === null ? '–' : holds ? 'yes' : 'NO',
    note,
  ];
}
