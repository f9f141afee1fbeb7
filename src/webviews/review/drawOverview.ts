/** Paints the overview strip on a canvas, in the theme's colours. */
import { colouredFiles, type MarkedGaps, type OverviewModel } from './overviewModel.ts';

/** CSS pixels that one bar takes, its gap included. */
export const barPitch = 3;
const barWidth = 2;
const soundGapHeight = 1.5;
/** So much of a gap is drawn at least, to be seen. */
const leastGapWidth = 3;

export interface OverviewColours {
  readonly files: readonly string[];
  readonly otherFiles: string;
  readonly screenshot: string;
  readonly save: string;
  readonly pause: string;
  readonly problem: string;
  readonly gap: string;
  readonly line: string;
}

/** Chart colours are the theme's own answer to "tell these apart"; the fallbacks are for themes without them. */
export function overviewColours(element: Element): OverviewColours {
  const style = getComputedStyle(element);
  const colour = (name: string, fallback: string): string => style.getPropertyValue(name).trim() || fallback;
  const foreground = colour('--vscode-foreground', 'gray');
  return {
    files: [
      colour('--vscode-charts-blue', foreground),
      colour('--vscode-charts-green', foreground),
      colour('--vscode-charts-purple', foreground),
      colour('--vscode-charts-orange', foreground),
    ].slice(0, colouredFiles),
    otherFiles: colour('--vscode-descriptionForeground', foreground),
    screenshot: colour('--vscode-descriptionForeground', foreground),
    save: colour('--vscode-foreground', foreground),
    pause: colour('--vscode-descriptionForeground', foreground),
    problem: colour('--vscode-editorWarning-foreground', foreground),
    gap: colour('--vscode-descriptionForeground', foreground),
    line: colour('--vscode-widget-border', colour('--vscode-contrastBorder', foreground)),
  };
}

export function drawOverview(
  canvas: HTMLCanvasElement,
  model: OverviewModel,
  gaps: MarkedGaps,
  durationMs: number,
  colours: OverviewColours,
): void {
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  const context = canvas.getContext('2d');
  if (!context || width === 0) return;
  context.scale(ratio, ratio);
  const x = (ms: number): number => (durationMs > 0 ? (ms / durationMs) * width : 0);
  const markTop = 5;
  const baseline = height - 7;
  const barArea = baseline - markTop - 7;

  for (const gap of gaps.picture) hatch(context, x(gap.fromMs), x(gap.toMs), height, colours.gap);
  context.fillStyle = colours.gap;
  for (const gap of gaps.sound) {
    context.fillRect(x(gap.fromMs), height - soundGapHeight, widthOf(gap, x), soundGapHeight);
  }
  context.fillStyle = colours.line;
  context.fillRect(0, baseline, width, 1);

  const stacked = new Map<number, number>();
  for (const { bucket, file, height: share } of model.bars) {
    const below = stacked.get(bucket) ?? 0;
    const barHeight = Math.max(1, share * barArea);
    context.fillStyle = (file >= 0 ? colours.files[file] : undefined) ?? colours.otherFiles;
    context.fillRect(bucket * barPitch, baseline - below - barHeight, barWidth, barHeight);
    stacked.set(bucket, below + barHeight);
  }
  context.fillStyle = colours.save;
  for (const ms of thinned(model.saves, x, 3)) context.fillRect(Math.round(x(ms)), baseline + 2, 2, 4);
  context.fillStyle = colours.screenshot;
  for (const ms of thinned(model.screenshots, x, 6)) dot(context, x(ms), markTop, 2, width);
  context.fillStyle = colours.problem;
  for (const ms of thinned(model.problems, x, 8)) dot(context, x(ms), markTop, 3, width);
  context.strokeStyle = colours.pause;
  context.lineWidth = 1;
  context.setLineDash([3, 3]);
  for (const ms of thinned(model.pauses, x, 6)) line(context, Math.round(x(ms)) + 0.5, 0, height);
}

/** Marks that would lie on one another are drawn once; offsets are in time order. */
function thinned(offsets: readonly number[], x: (ms: number) => number, apart: number): number[] {
  let last = -Infinity;
  return offsets.filter((ms) => {
    const far = x(ms) - last >= apart;
    if (far) last = x(ms);
    return far;
  });
}

/** A mark at the very edge stays whole. */
function dot(context: CanvasRenderingContext2D, x: number, y: number, radius: number, width: number): void {
  context.beginPath();
  context.arc(Math.min(Math.max(x, radius), width - radius), y, radius, 0, 2 * Math.PI);
  context.fill();
}

function line(context: CanvasRenderingContext2D, x: number, top: number, bottom: number): void {
  context.beginPath();
  context.moveTo(x, top);
  context.lineTo(x, bottom);
  context.stroke();
}

function widthOf(gap: { readonly fromMs: number; readonly toMs: number }, x: (ms: number) => number): number {
  return Math.max(x(gap.toMs) - x(gap.fromMs), leastGapWidth);
}

function hatch(context: CanvasRenderingContext2D, from: number, to: number, height: number, colour: string): void {
  const end = Math.max(to, from + leastGapWidth);
  context.save();
  context.beginPath();
  context.rect(from, 0, end - from, height);
  context.clip();
  context.strokeStyle = colour;
  context.globalAlpha = 0.45;
  context.lineWidth = 1;
  for (let start = from - height; start < end; start += 5) {
    context.beginPath();
    context.moveTo(start, height);
    context.lineTo(start + height, 0);
    context.stroke();
  }
  context.restore();
}
