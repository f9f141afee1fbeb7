/** State that survives hiding and reloading the panel: VS Code keeps one object for each panel, these hooks own a key of it. */
import { useCallback, useState } from 'preact/hooks';
import { vscodeApi } from './hostLink.ts';

export function readPersisted(key: string): unknown {
  const state = vscodeApi().getState();
  return typeof state === 'object' && state !== null && Object.hasOwn(state, key)
    ? (state as Record<string, unknown>)[key]
    : undefined;
}

export function persist(values: Readonly<Record<string, unknown>>): void {
  const api = vscodeApi();
  const state = api.getState();
  api.setState({ ...(typeof state === 'object' ? state : {}), ...values });
}

/** `parse` turns what an older version may have kept into a value, or nothing. */
export function usePersistedState<T>(
  key: string,
  initial: T,
  parse: (kept: unknown) => T | undefined,
): [value: T, set: (value: T) => void] {
  const [value, setValue] = useState<T>(() => parse(readPersisted(key)) ?? initial);
  const set = useCallback(
    (next: T) => {
      setValue(() => next);
      persist({ [key]: next });
    },
    [key],
  );
  return [value, set];
}
