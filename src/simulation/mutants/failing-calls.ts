// Clients that send value and data to addresses where nobody is: calls that fail, and whose value comes back.
import type { Secp256k1 } from '../../core/crypto/secp256k1.ts';
import { sha256 } from '../../core/crypto/sha256.ts';
import { uint64ToBytes } from '../../core/primitives/bytes.ts';
import { createClients, signTransfer } from '../workload.ts';
import type { World } from '../world.ts';

const EVERY_MS = 400;
/** A selector: with it the call may be of a contract that is about to exist. */
const DATA = Uint8Array.of(1, 2, 3, 4);
const GAS = 40_000n;
const VALUE_WEI = 1_000n;

/** Sends one such call now and then, from the last of the clients. */
export function sendFailingCalls(world: World, clients: number, secp256k1: Secp256k1): void {
  const client = createClients(clients, secp256k1)[clients - 1];
  if (client === undefined) return;
  let count = 0;
  const next = (): void => {
    const node = world.nodes[count % world.nodes.length];
    if (node !== undefined && world.isUp(count % world.nodes.length)) {
      const to = sha256(uint64ToBytes(count)).subarray(0, 20);
      const nonce = node.transactions.pendingNonce(client.address) ?? 0n;
      const transfer = { secretKey: client.secretKey, nonce, to, valueWei: VALUE_WEI, chainId: world.genesis.parameters.evmChainId };
      node.transactions.submit(signTransfer({ ...transfer, data: DATA, gasLimit: GAS }, secp256k1)).catch(() => undefined);
    }
    count++;
    world.clock.schedule(EVERY_MS, next);
  };
  world.clock.schedule(EVERY_MS, next);
}
