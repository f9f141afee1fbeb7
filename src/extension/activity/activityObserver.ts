/** What an observer of the editor is: it watches one kind of event and reports it with the moment at which it happened. */
import type { ActivityEventBody } from '../../shared/model/activity.ts';
import type { Disposable } from '../platform/disposable.ts';

/** Takes events as they happen; `monotonicMs` is read first thing in the editor's callback. Never throws, never blocks. */
export type ReportActivity = (body: ActivityEventBody, monotonicMs: number) => void;

/** Starts watching; what it answers stops it. */
export type StartObserver = (report: ReportActivity) => Disposable;
