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

/** What the search stands on. */
export interface MessagesUnderWayInput {
  /** Number of the newest view block. */
  readonly headNumber: () => number;
  /** What is final at its source and, as of the newest view block, not read by all. */
  readonly anchoredBundles: () => Iterable<AnchoredBundles>;
  /** The beacon block that made what a source sent final. */
  readonly anchorHeight: (source: ChainId, height: Height) => Height | undefined;
}

/** All of the transaction that is in the bundles; what of it ran already, while others have still to read the same bundles, is for the caller to leave out. */
export async function messagesUnderWay(
  { headNumber, anchoredBundles, anchorHeight }: MessagesUnderWayInput,
  transactionHash: Bytes32,
  rest: () => Promise<void>,
): Promise<MessagesUnderWay> {
  // Both at one moment: what is let go of while this rests was there with this block.
  const asOfBlock = headNumber();
  const outboxes = [...anchoredBundles()].sort((a, b) => a.source - b.source || a.height - b.height);
  const found: MessageUnderWay[] = [];
  for (const { source, height, bundles, summary } of outboxes) {
    await rest();
    for (const { place, messages } of bundles) {
      const ofTransaction = messages.filter((encoded) => bytesEqual(originOfEncoded(encoded), transactionHash));
      const sentInBlock = ofTransaction.length === 0 ? undefined : anchorHeight(source, height);
      if (sentInBlock === undefined || sentInBlock > asOfBlock) continue;
      const toShard = summary.bundles[place.bundle]?.destination;
      invariant(toShard !== undefined, 'a bundle stands in the summary of its outbox');
      for (const encoded of ofTransaction) {
        const decoded = decodeMessage(encoded);
        invariant(decoded.ok, 'a message that was sent decodes');
        found.push({ message: decoded.value, toShard, sentInBlock });
      }
    }
  }
  return { asOfBlock, messages: found.sort((a, b) => a.sentInBlock - b.sentInBlock) };
}
