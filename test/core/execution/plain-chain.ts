// A world of families on the second interpreter of items: what was emitted lies in one heap, by its name, until it is executed. There are no
// waves, blocks or shards; whoever drives it says which item comes next.
import assert from 'node:assert/strict';
import { createOwnLoopExecutor } from '../../../src/core/execution/evm/own-loop-executor.ts';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import type { Address, Hex } from '../../../src/core/primitives/ids.ts';
import type { Message, MessageResult } from '../../../src/core/protocol/message.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import { PlainFamily } from '../../../src/simulation/checks/plain-family.ts';
import { type PlainResult, plainItem, plainSenderPart } from '../../../src/simulation/checks/plain-items.ts';
import { BASE_FEE_WEI, CONTEXT, PARAMETERS } from './block-setup.ts';
import type { MemoryState } from './memory-state.ts';

const world = {
  executor: createOwnLoopExecutor(PARAMETERS.evmChainId),
  context: CONTEXT,
  gasLimitSeenByCode: PARAMETERS.transactionGasLimitMax,
};

/** What a block of any shard recorded: its transactions, and its items in the order in which they ran. */
export interface RecordedBlock {
  readonly transactions: readonly Transaction[];
  readonly result: { readonly messages: readonly MessageResult[] };
}

/** A message on its way, told from itself before it was forwarded. */
export function nameOf({ id, hop }: Pick<Message, 'id' | 'hop'>): string {
  return `${bytesToHex(id)}/${hop}`;
}

/** See the file's head. */
export class PlainChain {
  /** By name: emitted and not executed yet. */
  readonly waiting = new Map<string, Message>();
  /** All that was burned or is some proposer's. */
  feesWei = 0n;
  readonly #before: MemoryState;
  readonly #families = new Map<Hex, PlainFamily>();

  constructor(before: MemoryState) {
    this.#before = before;
  }

  #family(family: Address): PlainFamily {
    const familyHex = bytesToHex(family);
    const known = this.#families.get(familyHex);
    if (known !== undefined) return known;
    const made = new PlainFamily(family, this.#before);
    this.#families.set(familyHex, made);
    return made;
  }

  #emit(messages: readonly Message[]): void {
    for (const message of messages) {
      assert.ok(!this.waiting.has(nameOf(message)), `${nameOf(message)} is emitted once`);
      this.waiting.set(nameOf(message), message);
    }
  }

  /** The sender part of a transaction. */
  begin(transaction: Transaction): void {
    const part = plainSenderPart(this.#family(transaction.sender), transaction, { baseFeePerGasWei: BASE_FEE_WEI });
    this.feesWei += part.burnedWei + part.proposerWei;
    this.#emit([part.mainCall]);
  }

  /** One of the messages that wait. */
  async execute(name: string): Promise<PlainResult> {
    const message = this.waiting.get(name);
    assert.ok(message !== undefined, `${name} was emitted and is executed once`);
    this.waiting.delete(name);
    const item = await plainItem(this.#family(message.targetFamily), message, world);
    this.feesWei += item.burnedWei + item.proposerWei;
    this.#emit(item.emitted);
    return item;
  }

  /** Follows a block item by item: the order is the block's, everything else must come out as it says by itself. */
  async follow({ transactions, result }: RecordedBlock): Promise<void> {
    const execute = async (recorded: MessageResult): Promise<void> => {
      const { wave, ...expected } = recorded;
      const item = await this.execute(nameOf(recorded.message));
      assert.deepEqual(item.result, expected, `an item of wave ${wave}`);
    };
    for (const recorded of result.messages) if (recorded.wave === 0) await execute(recorded);
    for (const transaction of transactions) this.begin(transaction);
    for (const recorded of result.messages) if (recorded.wave > 0) await execute(recorded);
  }

  /** The state now. */
  state(): MemoryState {
    let state = this.#before;
    for (const family of this.#families.values()) state = state.after(family.changes());
    return state;
  }

  /** All that exists: in the state, under way, paid. */
  totalWei(): bigint {
    let totalWei = this.state().totalWei() + this.feesWei;
    for (const { valueWei, travellingTipWei } of this.waiting.values()) totalWei += valueWei + travellingTipWei;
    return totalWei;
  }
}
