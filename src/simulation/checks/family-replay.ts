// Layout independence: executing an item depends on the item, the state of its one family and its recorded context.
// Each family that a final block touched is executed again alone, by the second interpreter of items (plain-items.ts), on a reader that
// refuses to read anything of any other family; every result, every message that was emitted, and every change to that family, must be what
// the block made of it.
import type { BlockResult } from '../../core/execution/executed-block.ts';
import type { ItemExecutor } from '../../core/execution/item-executor.ts';
import { bytesToHex } from '../../core/primitives/bytes.ts';
import type { Address, Hex, Wei } from '../../core/primitives/ids.ts';
import type { ExecutionContext, Message, MessageResult } from '../../core/protocol/message.ts';
import type { Transaction } from '../../core/protocol/transaction.ts';
import type { TransactionTarget } from '../../core/shard/transaction-target.ts';
import type { StateReader } from '../../core/state/state-reader.ts';
import { PlainFamily } from './plain-family.ts';
import { type PlainWorld, plainItem, plainSenderPart } from './plain-items.ts';
import { saysTheSame, textOf } from './same-value.ts';

/** A block that was executed, and all that its result follows from. */
export interface ReplayedBlock {
  readonly transactions: readonly Transaction[];
  readonly result: BlockResult;
  readonly parentState: StateReader;
  readonly parentBaseFeePerGasWei: Wei;
  /** What the block records of a transaction's target: the price of its shard, and the family that it proves. */
  readonly targetOf?: ((transaction: Transaction) => Pick<TransactionTarget, 'baseFeePerGasWei' | 'provenFamily'> | undefined) | undefined;
  readonly context: ExecutionContext;
  readonly gasLimitSeenByCode: number;
}

/** What came from other shards runs before what the senders of the block begin. */
const INBOX_WAVE = 0;

interface FamilyItems {
  readonly family: Address;
  readonly transactions: Transaction[];
  readonly messages: MessageResult[];
}

/** What differs between a block's result and its families replayed one by one: one line each, none where all is well. */
export async function replayFamilies(block: ReplayedBlock, executor: ItemExecutor): Promise<readonly string[]> {
  const { context, gasLimitSeenByCode, result } = block;
  const world = { executor, context, gasLimitSeenByCode };
  const alone: Alone = { found: [], emitted: new Map(), paidWei: 0n };
  for (const items of itemsByFamily(block)) await replayFamily(items, block, world, alone);
  const { found, emitted } = alone;
  // What was emitted here was executed here or is in the outbox, and nothing else is, but for what came in.
  const fromHere = [...result.messages.filter(({ wave }) => wave !== INBOX_WAVE).map(({ message }) => message), ...result.outbox];
  for (const message of fromHere) {
    const own = emitted.get(nameOf(message));
    if (own === undefined) found.push(`message ${nameOf(message)} is ${textOf(message)}, alone nobody emits it`);
    else if (!saysTheSame(message, own)) found.push(`message ${nameOf(message)} is ${textOf(message)}, alone ${textOf(own)}`);
    emitted.delete(nameOf(message));
  }
  for (const [name] of emitted) found.push(`message ${name}, emitted alone, is neither executed nor in the outbox`);
  const paidWei = result.burnedFeesWei + result.proposerFeesWei;
  if (paidWei !== alone.paidWei) found.push(`${paidWei} wei are burned or the proposer's, alone ${alone.paidWei}`);
  return found;
}

/** What the families come to so far. */
interface Alone {
  readonly found: string[];
  readonly emitted: Map<string, Message>;
  paidWei: Wei;
}

async function replayFamily(
  { family, transactions, messages }: FamilyItems,
  { result, parentState, parentBaseFeePerGasWei, targetOf }: ReplayedBlock,
  world: PlainWorld,
  alone: Alone,
): Promise<void> {
  const familyHex = bytesToHex(family);
  const { found, emitted } = alone;
  const records = new PlainFamily(family, parentState);
  const execute = async (ofInbox: boolean): Promise<void> => {
    for (const { wave, ...expected } of messages) {
      if ((wave === INBOX_WAVE) !== ofInbox) continue;
      const item = await plainItem(records, expected.message, world);
      const name = bytesToHex(expected.message.id);
      if (!saysTheSame(expected, item.result))
        found.push(`family ${familyHex}: message ${name} came to ${textOf(expected)}, alone to ${textOf(item.result)}`);
      for (const message of item.emitted) emitted.set(nameOf(message), message);
      alone.paidWei += item.burnedWei + item.proposerWei;
    }
  };
  try {
    await execute(true);
    for (const transaction of transactions) {
      const { baseFeePerGasWei: targetBaseFeePerGasWei, provenFamily } = targetOf?.(transaction) ?? {};
      const terms = { baseFeePerGasWei: parentBaseFeePerGasWei, targetBaseFeePerGasWei, provenFamily };
      const part = plainSenderPart(records, transaction, terms);
      emitted.set(nameOf(part.mainCall), part.mainCall);
      alone.paidWei += part.burnedWei + part.proposerWei;
    }
    await execute(false);
  } catch (error) {
    found.push(`family ${familyHex}: ${String(error)}`);
  }
  const changes = records.changes();
  const there = {
    accounts: result.changeSet.accounts.filter((change) => bytesToHex(change.family) === familyHex),
    pointers: result.changeSet.pointers.filter(({ address }) => bytesToHex(address) === familyHex),
  };
  const here = { accounts: changes.accounts, pointers: changes.pointers };
  if (!saysTheSame(there, here)) found.push(`family ${familyHex}: changes ${textOf(there)}, alone ${textOf(here)}`);
}

/** A forward has the id of what it forwards, and another hop. */
function nameOf({ id, hop }: Message): string {
  return `${bytesToHex(id)}/${hop}`;
}

// In the order of the block, which is wave by wave.
function itemsByFamily({ transactions, result }: ReplayedBlock): readonly FamilyItems[] {
  const families = new Map<Hex, FamilyItems>();
  const itemsOf = (family: Address): FamilyItems => {
    const familyHex = bytesToHex(family);
    const items = families.get(familyHex) ?? { family, transactions: [], messages: [] };
    families.set(familyHex, items);
    return items;
  };
  for (const transaction of transactions) itemsOf(transaction.sender).transactions.push(transaction);
  for (const message of result.messages) itemsOf(familyOf(message.message)).messages.push(message);
  // Whatever else the block says that it changed is of a family without items.
  for (const { family } of result.changeSet.accounts) itemsOf(family);
  for (const { address } of result.changeSet.pointers) itemsOf(address);
  return [...families.values()];
}

/** Where a message executes: a pointer, at the natural place of the contract that it is of. */
export function familyOf({ kind, target, targetFamily }: Message): Address {
  return kind === 'pointer' && target !== undefined ? target : targetFamily;
}
