// The order of what a view block shows: items of the shard blocks whose execution it anchors, by (crosslink, shard height, position
// in execution order with waves flattened) (protocol, section 7).
//
// Sender parts, pointer writes and forwards do not appear: a transaction stands once, where its main call ran, and every other message
// stands for itself.
import type { BlockResult } from '../execution/executed-block.ts';
import type { MessageResult } from '../protocol/message.ts';

/** What a view block takes of an executed shard block. */
export interface AnchoredExecution {
  readonly result: Pick<BlockResult, 'senderParts' | 'messages'>;
}

/** Whether clients see this message, as a transaction or as a system transaction. */
export function isShown(result: MessageResult): boolean {
  return result.outcome !== 'forwarded' && result.message.kind !== 'pointer';
}

/** All messages of the blocks in execution order. `executed` comes in the order of (crosslink, shard height). */
export function messagesInOrder(executed: readonly AnchoredExecution[]): readonly MessageResult[] {
  return executed.flatMap((block) => block.result.messages);
}
