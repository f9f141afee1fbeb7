/** Ends a `switch` over a union: a case that was forgotten is a compile error, and a bad value at run time says so. */
export function assertNever(value: never, what = 'value'): never {
  throw new Error(`Unexpected ${what}: ${JSON.stringify(value)}`);
}
