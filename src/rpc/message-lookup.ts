// All messages that came of a transaction: those that ran, with the blocks in which they did, and those on their way between shards. Messages between shards run
// in later blocks than what sent them, and may wait long: for a shard that has no room, or none that speaks.
import { bytesToHex, hexToBytes } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32, Hex } from '../core/primitives/ids.ts';
import type { ViewBlock, ViewMessage } from '../core/view/view-block.ts';
import type { RpcContext } from './method.ts';
import type { MessageUnderWay } from './ports.ts';
import { findTransaction } from './transaction-lookup.ts';

/** A message that ran, and where. */
export interface FinalMessage {
  readonly status: 'final';
  readonly block: ViewBlock;
  readonly message: ViewMessage;
}

/** A message of a transaction. */
export type FoundMessage = FinalMessage | (MessageUnderWay & { readonly status: 'under-way' });

/** What looking up messages takes of a method's context. */
export type MessageLookupContext = Pick<RpcContext, 'ports' | 'turns'>;

/**
 * What the transaction with this hash caused: what is final in the order of blocks and execution, then what is under way. All of it is as of one view
 * block, so nothing is missing in between, and nothing is there twice.
 */
export async function findMessages({ ports, turns }: MessageLookupContext, hash: Hex): Promise<readonly FoundMessage[]> {
  const { asOfBlock, messages } = await ports.view.messagesUnderWay(hash, turns.rest);
  const shownIn = (await findTransaction(ports, hash))?.block.header.number;
  const numbers = new Set([...(await ports.view.blocksWithMessagesOf(hash)), ...(shownIn === undefined ? [] : [shownIn])]);
  const found: FinalMessage[] = [];
  for (const number of [...numbers].filter((each) => each <= asOfBlock).sort((a, b) => a - b)) {
    const block = await ports.view.blockByNumber(number);
    if (block === undefined) continue;
    for (const message of block.messages)
      if (bytesToHex(message.originTransactionHash) === hash) found.push({ status: 'final', block, message });
  }
  const final = new Set(found.map(({ message }) => legOf(message)));
  return [
    ...found,
    ...messages.filter(({ message }) => !final.has(legOf(message))).map((each) => ({ status: 'under-way' as const, ...each })),
  ];
}

// A message that is forwarded keeps its id: what ran at its natural place is one hop behind what goes on from there.
function legOf({ id, hop }: { readonly id: Bytes32; readonly hop: number }): string {
  return `${bytesToHex(id)}/${hop}`;
}

/** True of the message that is a transaction's main call, where it ran or will run. */
export function isMainCall(found: FoundMessage): boolean {
  return found.message.kind === 'main-call' && (found.status === 'under-way' || found.message.outcome !== 'forwarded');
}

/** The hash under which Ethereum clients see the message, if they do. */
export function shownHashOf(found: FoundMessage): Uint8Array | undefined {
  const { message } = found;
  if (found.status === 'final' && found.message.transactionIndex !== undefined)
    return found.block.transactions[found.message.transactionIndex]?.transaction.hash;
  // Under way, or shown in a later block: its contracts had pointers to be written.
  return isMainCall(found) ? message.originTransactionHash : undefined;
}

/** The message that the transaction, or system transaction, with this hash shows. A transaction's own may be under way yet. */
export async function findShown(
  context: MessageLookupContext,
  hash: Hex,
): Promise<{ readonly shown: FoundMessage; readonly all: readonly FoundMessage[] } | undefined> {
  const found = await findTransaction(context.ports, hash);
  const here = found?.block.messages.find((message) => message.transactionIndex === found.index);
  const origin = here === undefined ? hexToBytes(hash) : here.originTransactionHash;
  invariant(origin !== undefined, 'a hash that was read is hexadecimal');
  const all = await findMessages(context, bytesToHex(origin));
  if (found !== undefined && here !== undefined) return { shown: { status: 'final', block: found.block, message: here }, all };
  const shown = all.find(isMainCall);
  return shown === undefined ? undefined : { shown, all };
}
