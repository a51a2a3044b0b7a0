// Clients of the pure network of shards: who they are, and what they send. Most of it crosses shards wherever there are several.
import { createdAddressOf } from '../../../src/core/execution/created-address.ts';
import { concatBytes } from '../../../src/core/primitives/bytes.ts';
import type { Address } from '../../../src/core/primitives/ids.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import { CONTRACT_NAMES, CONTRACTS, deploying } from '../../../src/simulation/contracts.ts';
import { addressOf, transactionOf } from '../execution/block-setup.ts';
import type { Draw } from '../protocol/generate-value.ts';

const DEPLOY_GAS = 150_000;
const CALL_GAS = 250_000;
/** So that there is something to call early. */
const DEPLOYED_FIRST = 4;

/** Accounts with coins. */
export const CLIENTS: readonly Address[] = Array.from({ length: 12 }, (_unused, index) => addressOf(`client ${index}`));

/** What clients know: their nonces, and where contracts are or will be. */
export interface Workload {
  readonly nonces: Map<Address, bigint>;
  readonly contracts: Address[];
}

/** The next transaction of some client. */
export function nextTransaction({ nonces, contracts }: Workload, draw: Draw): Transaction {
  const pick = <T>(from: readonly T[]): T => from[draw(from.length)] as T;
  const sender = pick(CLIENTS);
  const nonce = nonces.get(sender) ?? 0n;
  nonces.set(sender, nonce + 1n);
  const maxPriorityFeePerGasWei = BigInt(draw(1_000_000_000));
  const what = draw(10);
  if (contracts.length < DEPLOYED_FIRST || what < 2) {
    contracts.push(createdAddressOf(sender, nonce));
    return transactionOf({
      sender,
      nonce,
      data: deploying(CONTRACTS[pick(CONTRACT_NAMES)]),
      gasLimit: DEPLOY_GAS,
      maxPriorityFeePerGasWei,
    });
  }
  if (what < 5) {
    const to = draw(4) === 0 ? addressOf(`stranger ${draw(20)}`) : pick(CLIENTS);
    return transactionOf({ sender, nonce, to, valueWei: BigInt(1 + draw(1_000_000)), maxPriorityFeePerGasWei });
  }
  const about = draw(2) === 0 ? pick(CLIENTS) : pick(contracts);
  const data = concatBytes(new Uint8Array(12), about);
  const to = pick(contracts);
  return transactionOf({ sender, nonce, to, valueWei: BigInt(draw(1_000)), data, gasLimit: CALL_GAS, maxPriorityFeePerGasWei });
}
