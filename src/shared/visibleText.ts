/**
 * Makes recorded text show what it holds. Characters that steer the direction of text are invisible and reorder what
 * stands around them: with one in its name, `st\u202egnp.ts` reads as if it ended in `.png`. Pure.
 */

/** U+061C, U+200E, U+200F, the embeddings and overrides U+202A to U+202E, and the isolates U+2066 to U+2069. */
const directionMarks = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Each mark of direction becomes a visible �. */
export function visibleText(text: string): string {
  return text.replace(directionMarks, '\ufffd');
}

/** Addresses are followed, not read, so they stay what they are. */
const addresses = new Set(['url', 'uri']);

/** The same data with every text in it made visible; done where data arrives, no view can forget it. */
export function withVisibleText<T>(data: T): T {
  return visible(data) as T;
}

function visible(data: unknown): unknown {
  if (typeof data === 'string') return visibleText(data);
  if (Array.isArray(data)) return data.map(visible);
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, addresses.has(name) ? value : visible(value)]),
  );
}
