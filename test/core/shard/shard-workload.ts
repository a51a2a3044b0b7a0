// Clients of the pure network of shards: who they are, and what they send. Most of it crosses shards wherever there are several.
import { createdAddressOf } from '../../../src/core/execution/created-address.ts';
import { MESSENGER_ADDRESS } from '../../../src/core/execution/system-addresses.ts';
import { SEND_SELECTOR } from '../../../src/core/messaging/messenger-interface.ts';
import { concatBytes } from '../../../src/core/primitives/bytes.ts';
import type { Address } from '../../../src/core/primitives/ids.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import { CONTRACT_NAMES, CONTRACTS, deploying } from '../../../src/simulation/contracts.ts';
import { assemble } from '../execution/assembler.ts';
import { addressOf, transactionOf } from '../execution/block-setup.ts';
import type { Draw } from '../protocol/generate-value.ts';

const DEPLOY_GAS = 150_000;
const CALL_GAS = 250_000;
/** So that there is something to call early. */
const DEPLOYED_FIRST = 4;

/** Accounts with coins. */
export const CLIENTS: readonly Address[] = Array.from({ length: 12 }, (_unused, index) => addressOf(`client ${index}`));

const IS_MESSENGER = assemble('CALLER', MESSENGER_ADDRESS, 'EQ');
const RELAY = assemble(
  ...[SEND_SELECTOR, 224, 'SHL', 0, 'MSTORE', 0, 'CALLDATALOAD', 4, 'MSTORE', 60_000, 'GAS', 'SUB', 36, 'MSTORE', 160, 132, 'MSTORE'],
  ...[32, 164, 'MSTORE', 0, 'CALLDATALOAD', 196, 'MSTORE', 0, 0, 228, 0, 'CALLVALUE', MESSENGER_ADDRESS, 'GAS', 'CALL', 'STOP'],
);
/**
 * Passes the value on to the address in its call data, with the same call data, by the messenger, with the gas that is left; where that
 * is the contract itself, or another of these, again and again until there is none. What comes back, it refuses.
 */
const RELAYING = assemble(
  ...[{ raw: IS_MESSENGER }, IS_MESSENGER.length + 3 + RELAY.length, 'JUMPI', { raw: RELAY }, 'JUMPDEST', 0, 0, 'REVERT'],
);
const CODES = [...CONTRACT_NAMES.map((name) => CONTRACTS[name]), RELAYING, RELAYING];
/** The zero address, precompiles, the messenger, and who is not there yet. */
const ODD_TARGETS: readonly Address[] = [
  ...[0, 1, 4].map((last) => new Uint8Array(20).fill(last, 19)),
  MESSENGER_ADDRESS,
  ...Array.from({ length: 4 }, (_unused, index) => addressOf(`stranger ${20 + index}`)),
];

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
      data: deploying(pick(CODES)),
      gasLimit: DEPLOY_GAS,
      maxPriorityFeePerGasWei,
    });
  }
  if (what < 5) {
    const to = draw(4) === 0 ? addressOf(`stranger ${draw(20)}`) : pick(CLIENTS);
    return transactionOf({ sender, nonce, to, valueWei: BigInt(1 + draw(1_000_000)), maxPriorityFeePerGasWei });
  }
  const to = draw(12) === 0 ? pick(ODD_TARGETS) : pick(contracts);
  const about = pick([pick(CLIENTS), pick(CLIENTS), pick(contracts), pick(contracts), to, pick(ODD_TARGETS)]);
  const data = concatBytes(new Uint8Array(12), about);
  return transactionOf({ sender, nonce, to, valueWei: BigInt(draw(1_000)), data, gasLimit: CALL_GAS, maxPriorityFeePerGasWei });
}
