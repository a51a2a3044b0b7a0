// Clients of a simulated network: accounts that send one another coins, each transaction through some node that is up, and that go on
// from the nonce that they know to be taken.
import { keccak256 } from '../core/crypto/keccak.ts';
import type { Secp256k1 } from '../core/crypto/secp256k1.ts';
import { sha256 } from '../core/crypto/sha256.ts';
import { bigintToBytes, bytesToHex, concatBytes, uint64ToBytes } from '../core/primitives/bytes.ts';
import type { Address } from '../core/primitives/ids.ts';
import { encodeRlp, type RlpItem } from '../core/primitives/rlp.ts';
import { addressOfPublicKey } from '../core/protocol/decode-transaction.ts';
import type { GenesisAccount } from '../core/protocol/genesis.ts';
import type { SeededRandom } from './random.ts';
import type { World } from './world.ts';

const ETHER = 10n ** 18n;
const FUNDED_WEI = 1_000n * ETHER;
const MAX_FEE_PER_GAS_WEI = 10n ** 11n;
const PRIORITY_FEE_PER_GAS_WEI = 10n ** 9n;
const TRANSFER_GAS = 21_000n;
const TYPE_2 = Uint8Array.of(2);

/** An account of a client. */
export interface Client {
  readonly secretKey: Uint8Array;
  readonly address: Address;
}

/** Clients with keys of their own. */
export function createClients(count: number, secp256k1: Secp256k1): Client[] {
  return Array.from({ length: count }, (_unused, index) => {
    const secretKey = sha256(uint64ToBytes(index + 1));
    return { secretKey, address: addressOfPublicKey(secp256k1.publicKeyOf(secretKey)) };
  });
}

/** What genesis gives them. */
export function fundedAccounts(clients: readonly Client[]): readonly GenesisAccount[] {
  return clients.map(({ address }) => ({ address, balanceWei: FUNDED_WEI, nonce: 0n, code: new Uint8Array(0), storage: [] }));
}

/** Sends transfers at random moments until it is stopped. */
export class Workload {
  readonly #world: World;
  readonly #clients: readonly Client[];
  readonly #random: SeededRandom;
  readonly #secp256k1: Secp256k1;
  #sent = 0;
  #isStopped = false;

  constructor(world: World, clients: readonly Client[], random: SeededRandom, secp256k1: Secp256k1) {
    this.#world = world;
    this.#clients = clients;
    this.#random = random;
    this.#secp256k1 = secp256k1;
  }

  /** Transactions handed to nodes. */
  get sent(): number {
    return this.#sent;
  }

  /** Begins: so many a second on average. */
  start(perSecond: number): void {
    const next = (): void => {
      if (this.#isStopped) return;
      this.#send();
      this.#world.clock.schedule(this.#random.exponential(1_000 / perSecond), next);
    };
    this.#world.clock.schedule(this.#random.exponential(1_000 / perSecond), next);
  }

  stop(): void {
    this.#isStopped = true;
  }

  #send(): void {
    const world = this.#world;
    const client = this.#random.pick(this.#clients);
    const to = this.#random.pick(this.#clients);
    const index = this.#random.integer(0, world.nodes.length);
    const node = world.nodes[index];
    if (node === undefined || !world.isUp(index)) return;
    // What this client sent elsewhere may not have come here yet: then it sends another transaction with that nonce.
    const nonce = node.pool.pendingNonce(client.address, bytesToHex(client.address));
    const raw = signTransfer(
      { secretKey: client.secretKey, nonce, to: to.address, valueWei: 1n, chainId: world.genesis.parameters.evmChainId },
      this.#secp256k1,
    );
    this.#sent++;
    // Refusals are the node's good right: full, too low, known.
    node.pool.submit(raw).catch(() => undefined);
  }
}

/** A transfer to be signed. */
export interface Transfer {
  readonly secretKey: Uint8Array;
  readonly nonce: bigint;
  readonly to: Uint8Array;
  readonly valueWei: bigint;
  readonly chainId: number;
  readonly data?: Uint8Array;
  readonly gasLimit?: bigint;
}

/** The raw bytes of a transfer of type 2. */
export function signTransfer(
  { secretKey, nonce, to, valueWei, chainId, data = new Uint8Array(0), gasLimit = TRANSFER_GAS }: Transfer,
  secp256k1: Secp256k1,
): Uint8Array {
  const fields: RlpItem[] = [
    integer(BigInt(chainId)),
    integer(nonce),
    integer(PRIORITY_FEE_PER_GAS_WEI),
    integer(MAX_FEE_PER_GAS_WEI),
    integer(gasLimit),
    to,
    integer(valueWei),
    data,
    [],
  ];
  const { r, s, yParity } = secp256k1.sign(secretKey, keccak256(TYPE_2, encodeRlp(fields)));
  return concatBytes(TYPE_2, encodeRlp([...fields, integer(BigInt(yParity)), trimmed(r), trimmed(s)]));
}

function integer(value: bigint): Uint8Array {
  return trimmed(bigintToBytes(value, 32));
}

function trimmed(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0);
  return start < 0 ? new Uint8Array(0) : bytes.subarray(start);
}
