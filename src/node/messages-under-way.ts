// Finds the messages of a transaction that wait between shards (protocol, section 5, "Lanes"): sent for good by one, and not final in another, however long
// that stands still or has no room. They lie in the bundles that the node holds for those who have still to read them. There is no index by transaction,
// for which every message would pay: a question looks through all that is under way, 32 bytes of each message, and rests between bundles. Gas has paid for
// what there is to look through, and prices and rations of congested shards hold it back.
import { bytesEqual } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32, ChainId, Height } from '../core/primitives/ids.ts';
import { decodeMessage, originOfEncoded } from '../core/protocol/message-codec.ts';
import type { MessagesUnderWay, MessageUnderWay } from '../rpc/ports.ts';
import type { AnchoredBundles } from '../runtime/bundle-shelf.ts';

/** Looks at what has come meanwhile: each is far shorter than the one before. */
const PASSES_MAX = 16;

/** What the search stands on. */
export interface MessagesUnderWayInput {
  /** Number of the newest view block. */
  readonly headNumber: () => number;
  /** What is final at its source and, as of the newest view block, not read by all. */
  readonly anchoredBundles: () => Iterable<AnchoredBundles>;
  /** Whether what a source sent is there still. */
  readonly isKept: (source: ChainId, height: Height) => boolean;
  /** The beacon block that made what a source sent final. */
  readonly anchorHeight: (source: ChainId, height: Height) => Height | undefined;
}

/**
 * All of the transaction that is in the bundles; what of it ran already, while others have still to read the same bundles, is for the caller to leave out. What is
 * let go of while this rests is final by the block of the answer, and what is sent meanwhile is looked at too.
 */
export async function messagesUnderWay(
  input: MessagesUnderWayInput,
  transactionHash: Bytes32,
  rest: () => Promise<void>,
): Promise<MessagesUnderWay> {
  const seen = new Set<string>();
  const found: MessageUnderWay[] = [];
  for (let pass = 0; ; pass++) {
    const unseen = [...input.anchoredBundles()].filter((outbox) => !seen.has(nameOf(outbox)));
    if (unseen.length === 0 || pass === PASSES_MAX) {
      const asOfBlock = input.headNumber();
      const sent = found.filter(({ sentInBlock }) => sentInBlock <= asOfBlock);
      return { asOfBlock, messages: sent.sort((a, b) => a.sentInBlock - b.sentInBlock) };
    }
    for (const outbox of unseen) {
      await rest();
      seen.add(nameOf(outbox));
      if (input.isKept(outbox.source, outbox.height)) found.push(...messagesIn(outbox, transactionHash, input));
    }
  }
}

function messagesIn(
  { source, height, bundles, summary }: AnchoredBundles,
  transactionHash: Bytes32,
  { anchorHeight }: Pick<MessagesUnderWayInput, 'anchorHeight'>,
): readonly MessageUnderWay[] {
  return bundles.flatMap(({ place, messages }) => {
    const ofTransaction = messages.filter((encoded) => bytesEqual(originOfEncoded(encoded), transactionHash));
    const sentInBlock = ofTransaction.length === 0 ? undefined : anchorHeight(source, height);
    // What is not known any more was read by all.
    if (sentInBlock === undefined) return [];
    const toShard = summary.bundles[place.bundle]?.destination;
    invariant(toShard !== undefined, 'a bundle stands in the summary of its outbox');
    return ofTransaction.map((encoded) => {
      const decoded = decodeMessage(encoded);
      invariant(decoded.ok, 'a message that was sent decodes');
      return { message: decoded.value, toShard, sentInBlock };
    });
  });
}

function nameOf({ source, height }: AnchoredBundles): string {
  return `${source}/${height}`;
}
