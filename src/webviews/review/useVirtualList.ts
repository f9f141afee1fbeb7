/** A list of which only the rows in sight are on the page, however long it is. */
import {
  elementScroll,
  measureElement,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
} from '@tanstack/virtual-core';
import type { RefObject } from 'preact';
import { useLayoutEffect, useReducer, useState } from 'preact/hooks';

export interface VirtualListOptions {
  readonly count: number;
  readonly scroller: RefObject<HTMLElement | null>;
  readonly estimateSize: (index: number) => number;
  readonly keyOf: (index: number) => string;
}

/** Rows beyond the edges, so that scrolling shows no blank. */
const overscan = 6;

export function useVirtualList(options: VirtualListOptions): Virtualizer<HTMLElement, HTMLElement> {
  const [, rerender] = useReducer<number, undefined>((count) => count + 1, 0);
  const virtualizerOptions = {
    count: options.count,
    getScrollElement: () => options.scroller.current,
    estimateSize: options.estimateSize,
    getItemKey: options.keyOf,
    overscan,
    measureElement,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => rerender(undefined),
  };
  const [virtualizer] = useState(() => new Virtualizer<HTMLElement, HTMLElement>(virtualizerOptions));
  virtualizer.setOptions(virtualizerOptions);
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  return virtualizer;
}
