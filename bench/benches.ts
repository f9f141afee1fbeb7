/** The register of benches: a name for each, and what it is given. */
import type { Resources } from '../scripts/editor/resources.ts';
import { activationBench } from './editor/activationBench.ts';
import { startBench } from './editor/startBench.ts';
import { mediaBench } from './media/mediaBench.ts';
import { recorderBench } from './recorder/recorderBench.ts';
import { syncBench } from './recorder/syncBench.ts';
import type { MeasuredRow } from './report/rows.ts';

export interface BenchContext {
  /** The VSIX that is measured. */
  readonly vsix: string;
  /** Its extension's folder, unpacked. */
  readonly extension: string;
  /** How long a recording lasts that is measured. */
  readonly seconds: number;
  readonly seeds: readonly number[];
  /** Takes the ten minutes that some figures need. */
  readonly long: boolean;
  /** Tells the user what is being done. */
  readonly say: (text: string) => void;
  /** Takes what must be ended even when the bench is stopped half way. */
  readonly resources: Resources;
}

/** Throws when something could not be measured; a goal that does not hold is a result. */
export type Bench = (context: BenchContext) => Promise<MeasuredRow[]>;

export const benches: Readonly<Record<string, Bench>> = {
  activation: activationBench,
  start: startBench,
  recorder: recorderBench,
  sync: syncBench,
  media: mediaBench,
};

/** All benches without names; throws a name that nobody knows. */
export function chooseBenches(names: readonly string[]): [string, Bench][] {
  const all = Object.entries(benches);
  const unknown = names.find((name) => !Object.hasOwn(benches, name));
  if (unknown !== undefined) {
    throw new Error(`There is no bench "${unknown}". There are: ${all.map(([name]) => name).join(', ')}.`);
  }
  return names.length === 0 ? all : all.filter(([name]) => names.includes(name));
}
