/** Turns an editor's content changes into ranges of the text after the change. Pure. */
import type { EditedRange } from './model/activity.ts';

/** One replacement, in lines of the text before the change, counted from 0. */
export interface TextReplacement {
  readonly startLine: number;
  readonly endLine: number;
  readonly removedLength: number;
  readonly text: string;
}

/** More changes than this in one edit (a replace-all, a formatter) are told as one range that covers them. */
const maxRanges = 100;

/** In ascending order of lines, whatever the order of the replacements. */
export function editedRanges(replacements: readonly TextReplacement[]): EditedRange[] {
  let shift = 0;
  const ranges = [...replacements]
    .sort((a, b) => a.startLine - b.startLine)
    .map((replacement) => {
      const addedLines = countLineBreaks(replacement.text);
      const startLine = replacement.startLine + shift;
      shift += addedLines - (replacement.endLine - replacement.startLine);
      return {
        startLine: Math.max(0, startLine),
        endLine: Math.max(0, startLine + addedLines),
        charactersAdded: replacement.text.length,
        charactersRemoved: replacement.removedLength,
      };
    });
  return ranges.length > maxRanges ? [cover(ranges)] : ranges;
}

function cover(ranges: readonly EditedRange[]): EditedRange {
  return ranges.reduce((whole, range) => ({
    startLine: Math.min(whole.startLine, range.startLine),
    endLine: Math.max(whole.endLine, range.endLine),
    charactersAdded: whole.charactersAdded + range.charactersAdded,
    charactersRemoved: whole.charactersRemoved + range.charactersRemoved,
  }));
}

function countLineBreaks(text: string): number {
  return text.match(/\r\n|\r|\n/g)?.length ?? 0;
}
