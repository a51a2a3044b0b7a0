// What an event log says about the story of a world: who proposed, voted, gave up, saw a certificate, committed, ended and came back, and
// what was done to them. A line of the log is `moment who what`; a line of the story says what as one JSON object after the word `story`.
import { BEACON_CHAIN, type ChainId, type Epoch, type Height, type Round, type TimestampMs } from '../../core/primitives/ids.ts';
import type { DishonestValidator } from '../adversaries/strategies.ts';
import type { FaultKind } from '../faults.ts';

/** A block by the first bytes of its hash: enough to tell the blocks of one log apart, and short enough to read. */
export type BlockName = string;

/** Something that happened in one chain of a node. */
type ChainEvent = { readonly chain: ChainId } /** Sent to all, or whispered `to` one. */ & (
  | {
      readonly kind: 'proposes';
      readonly to?: string;
      readonly round: Round;
      readonly height: Height;
      readonly block: BlockName;
      readonly parent: BlockName;
      readonly transactions: number;
    }
  | { readonly kind: 'votes' | 'commit-votes'; readonly to?: string; readonly round: Round; readonly block: BlockName }
  | { readonly kind: 'gives-up'; readonly to?: string; readonly round: Round; readonly highestRound: Round }
  | { readonly kind: 'tells-certificates'; readonly to?: string; readonly highestRound: Round; readonly committedRound: Round }
  | { readonly kind: 'enters'; readonly round: Round }
  /** Its highest QC in the chain is this now. */
  | { readonly kind: 'certified'; readonly round: Round; readonly height: Height; readonly block: BlockName }
  | { readonly kind: 'commits'; readonly round: Round; readonly height: Height; readonly block: BlockName }
  /** An instance of an epoch, and how high the chain was then. */
  | { readonly kind: 'begins-instance'; readonly epoch: Epoch; readonly height: Height }
);

/** Something that happened at a node, or to the world. */
export type StoryEvent =
  | ChainEvent
  /** What it sent says nothing. */
  | { readonly kind: 'babbles'; readonly to?: string; readonly bytes: number }
  | { readonly kind: 'starts' }
  | { readonly kind: 'ends'; readonly how: string }
  | { readonly kind: 'cannot-go-on'; readonly detail: string }
  | { readonly kind: 'world'; readonly nodes: readonly string[]; readonly dishonest: readonly DishonestValidator[] }
  /** `fault` is its place in the schedule. */
  | { readonly kind: 'fault-begins'; readonly fault: number; readonly what: FaultKind }
  | { readonly kind: 'fault-ends'; readonly fault: number }
  | { readonly kind: 'quiet' }
  | { readonly kind: 'violation'; readonly property: string; readonly node?: string; readonly detail: string };

/** An event of the story, when, and at which node; `WORLD` where at none. */
export interface StoryEntry {
  /** Since the world began. */
  readonly atMs: number;
  readonly who: string;
  readonly event: StoryEvent;
}

/** Who it is that no node is. */
export const WORLD = 'world';
const MARK = 'story';
const ENDINGS: readonly string[] = ['killed', 'power-lost'];

/** A chain in a sentence. */
export function chainName(chain: ChainId): string {
  return chain === BEACON_CHAIN ? 'the beacon' : `shard ${chain}`;
}

/** The line of an event, without its moment. */
export function storyLine(who: string, event: StoryEvent): string {
  return `${who} ${MARK} ${JSON.stringify(event)}`;
}

/** The story in a log, in its order. Throws a `SyntaxError` for a line that is none of ours. */
export function readStory(eventLog: readonly string[], startMs: TimestampMs): readonly StoryEntry[] {
  return eventLog.flatMap((line) => {
    const [moment = '', who = '', verb = ''] = line.split(' ', 3);
    const event = eventOf(verb, line.slice(moment.length + who.length + verb.length + 3));
    return event === undefined ? [] : [{ atMs: Number(moment) - startMs, who, event }];
  });
}

function eventOf(verb: string, rest: string): StoryEvent | undefined {
  if (verb === MARK) return JSON.parse(rest) as StoryEvent;
  if (verb === 'starts') return { kind: 'starts' };
  if (ENDINGS.includes(verb)) return { kind: 'ends', how: verb };
  if (verb === 'cannot' && rest.startsWith('go on: ')) return { kind: 'cannot-go-on', detail: rest.slice('go on: '.length) };
  return undefined;
}
