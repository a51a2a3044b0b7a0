// Which part of a story people want to see first: what led to a violation, or everything where there is none.
import { type StoryEntry, WORLD } from './story.ts';

/** A stretch of a story, in milliseconds since the world began. */
export interface StoryWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Shown at least before a violation, and at most. */
const BEFORE_MS_MIN = 1_500;
const BEFORE_MS_MAX = 5_000;
/** Shown before the fault that it begins with. */
const LEAD_MS = 300;
/** Of a chain that stands still, so much after its last commit says what keeps it so. */
const STALL_MS = 4_000;

/** All of it. */
export function wholeOf(story: readonly StoryEntry[]): StoryWindow {
  return { fromMs: story[0]?.atMs ?? 0, toMs: story.at(-1)?.atMs ?? 0 };
}

/** See the file's head. */
export function interestingWindow(story: readonly StoryEntry[]): StoryWindow {
  const whole = wholeOf(story);
  const violation = story.find(({ event }) => event.kind === 'violation');
  if (violation?.event.kind !== 'violation') return whole;
  if (violation.event.property === 'liveness') {
    const fromMs = (story.findLast(({ event }) => event.kind === 'commits')?.atMs ?? whole.fromMs) - LEAD_MS;
    return { fromMs: Math.max(whole.fromMs, fromMs), toMs: Math.min(violation.atMs, fromMs + STALL_MS) };
  }
  const began = story.filter(({ atMs, who, event }) => who === WORLD && event.kind === 'fault-begins' && atMs <= violation.atMs).at(-1);
  const wantedMs = Math.min((began?.atMs ?? violation.atMs) - LEAD_MS, violation.atMs - BEFORE_MS_MIN);
  return { fromMs: Math.max(whole.fromMs, wantedMs, violation.atMs - BEFORE_MS_MAX), toMs: violation.atMs };
}
