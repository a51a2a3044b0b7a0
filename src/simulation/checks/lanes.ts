// Exactly once and in order between shards: what a final execution sent is taken once by the shard that it is for, in its lane's order and never before
// the taking block's reference knows of it; and, for conservation, what is under way between final executions. Lanes are kept anew here, from the
// results of executions: cursors, bundles and their proofs are not asked.
import { placementOfFamily } from '../../core/messaging/placement.ts';
import { bytesToHex } from '../../core/primitives/bytes.ts';
import type { ChainId, Height, Wei } from '../../core/primitives/ids.ts';
import type { Message } from '../../core/protocol/message.ts';
import { shardOfPlacement } from '../../core/protocol/shard-id.ts';
import { familyOf } from './family-replay.ts';
import type { Report } from './violation.ts';

/** What is under way. */
export interface UnderWay {
  readonly valueWei: Wei;
  /** Travelling halves of priority fees. */
  readonly tipsWei: Wei;
  /** The view block whose executions sent the oldest of it; undefined where nothing is. */
  readonly oldest: number | undefined;
}

interface Sent {
  readonly message: Message;
  readonly lane: string;
  /** Over all that was ever sent, in the order in which it became final. */
  readonly place: number;
  readonly anchoredAt: Height;
}

/** See the file's head. */
export class Lanes {
  readonly #report: Report;
  readonly #layout: ReadonlySet<ChainId>;
  /** By lane, what was not taken yet, in order. */
  readonly #waiting = new Map<string, Sent[]>();
  /** By message, what is final and was not taken by an execution that is. */
  readonly #underWay = new Map<string, Sent>();
  #sent = 0;

  constructor(layout: readonly ChainId[], report: Report) {
    this.#layout = new Set(layout);
    this.#report = report;
  }

  /** An execution has become final with the beacon block of this height: after all that did before it, in the order of crosslinks and heights. */
  anchored(source: ChainId, anchoredAt: Height, taken: readonly Message[], outbox: readonly Message[]): void {
    for (const message of taken) this.#underWay.delete(keyOf(message));
    for (const message of outbox) {
      const lane = `${source} to ${shardOfPlacement(this.#layout, placementOfFamily(familyOf(message)))}`;
      const sent = { message, lane, place: this.#sent++, anchoredAt };
      const waiting = this.#waiting.get(lane) ?? [];
      this.#waiting.set(lane, waiting);
      waiting.push(sent);
      this.#underWay.set(keyOf(message), sent);
    }
  }

  /** A block of a shard has taken these; its reference is the beacon block of this height. */
  taken(shard: ChainId, where: string, reference: Height, inbox: readonly Message[]): void {
    let before = -1;
    for (const message of inbox) {
      const name = `message ${bytesToHex(message.id)} on hop ${message.hop}`;
      const sent = this.#underWay.get(keyOf(message));
      if (sent === undefined) {
        this.#report('exactly-once', undefined, `${where} takes ${name}, which no final execution sent and nobody took`);
        continue;
      }
      const waiting = this.#waiting.get(sent.lane) ?? [];
      if (!sent.lane.endsWith(` to ${shard}`)) this.#report('exactly-once', undefined, `${where} takes ${name} of the lane ${sent.lane}`);
      if (waiting[0] !== sent) this.#report('exactly-once', undefined, `${where} takes ${name} out of its turn in the lane ${sent.lane}`);
      if (sent.anchoredAt > reference)
        this.#report('validity', undefined, `${where} with reference ${reference} takes ${name}, final with ${sent.anchoredAt}`);
      if (sent.place < before) this.#report('exactly-once', undefined, `${where} takes ${name} after what became final later`);
      before = sent.place;
      const place = waiting.indexOf(sent);
      if (place >= 0) waiting.splice(place, 1);
    }
  }

  /** What final executions have sent and none has taken. */
  underWay(): UnderWay {
    let [valueWei, tipsWei] = [0n, 0n];
    let oldest: number | undefined;
    for (const { message, anchoredAt } of this.#underWay.values()) {
      valueWei += message.valueWei;
      tipsWei += message.travellingTipWei;
      oldest = Math.min(oldest ?? anchoredAt, anchoredAt);
    }
    return { valueWei, tipsWei, oldest };
  }
}

// A forward keeps the id of what it forwards.
function keyOf({ id, hop }: Message): string {
  return `${bytesToHex(id)}/${hop}`;
}
