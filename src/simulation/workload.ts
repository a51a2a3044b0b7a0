// Clients of a simulated network: accounts that send one another coins, deploy contracts and call each other's, each transaction through
// some node that is up, and that go on from the nonce that they know to be taken. Calls cross families, fail, and send value on.
import { keccak256 } from '../core/crypto/keccak.ts';
import type { Secp256k1 } from '../core/crypto/secp256k1.ts';
import { sha256 } from '../core/crypto/sha256.ts';
import { createdAddressOf } from '../core/execution/created-address.ts';
import { placementOfFamily } from '../core/messaging/placement.ts';
import { bigintToBytes, concatBytes, uint64ToBytes } from '../core/primitives/bytes.ts';
import { isError } from '../core/primitives/errors.ts';
import type { Address } from '../core/primitives/ids.ts';
import { encodeRlp, type RlpItem } from '../core/primitives/rlp.ts';
import { addressOfPublicKey } from '../core/protocol/decode-transaction.ts';
import type { GenesisAccount } from '../core/protocol/genesis.ts';
import type { Node } from '../node/create-node.ts';
import { CONTRACT_NAMES, CONTRACTS, deploying } from './contracts.ts';
import type { SeededRandom } from './random.ts';
import type { World } from './world.ts';

const ETHER = 10n ** 18n;
const FUNDED_WEI = 1_000n * ETHER;
const MAX_FEE_PER_GAS_WEI = 10n ** 11n;
const PRIORITY_FEE_PER_GAS_WEI = 10n ** 9n;
const TRANSFER_GAS = 21_000n;
/** Shares of what clients do, added up: coins to a client, a new contract, value to a contract; the rest calls one. */
const TRANSFER_SHARE = 0.55;
const DEPLOY_SHARE = 0.65;
const SEND_SHARE = 0.72;
const CONTRACTS_KNOWN_MAX = 64;
const DEPLOY_GAS = 150_000n;
const CALL_GAS = 200_000n;
/** Enough for the call data and no more than a few steps. */
const CALL_GAS_TOO_LITTLE = 22_500n;
const QUARTERS = 4;
const PLACEMENT_BITS = 16;
const NO_TARGET = new Uint8Array(0);
const TYPE_2 = Uint8Array.of(2);

/** An account of a client. */
export interface Client {
  readonly secretKey: Uint8Array;
  readonly address: Address;
}

/** Clients with keys of their own, as many in each quarter of the state tree: so each shard of every layout up to four has some. */
export function createClients(count: number, secp256k1: Secp256k1): Client[] {
  const clients: Client[] = [];
  const perQuarter = Math.ceil(count / QUARTERS);
  const inQuarter = new Map<number, number>();
  for (let number = 1; clients.length < count; number++) {
    const secretKey = sha256(uint64ToBytes(number));
    const address = addressOfPublicKey(secp256k1.publicKeyOf(secretKey));
    const quarter = placementOfFamily(address) >>> (PLACEMENT_BITS - 2);
    const others = inQuarter.get(quarter) ?? 0;
    if (others >= perQuarter) continue;
    inQuarter.set(quarter, others + 1);
    clients.push({ secretKey, address });
  }
  return clients;
}

/** What genesis gives them. */
export function fundedAccounts(clients: readonly Client[]): readonly GenesisAccount[] {
  return clients.map(({ address }) => ({ address, balanceWei: FUNDED_WEI, nonce: 0n, code: new Uint8Array(0), storage: [] }));
}

/** What clients have sent. */
export interface WorkloadFigures {
  /** Handed to nodes. */
  readonly transactions: number;
  /** Of these, those that call or create a contract, or send it value: which sends on, answers, and comes back. */
  readonly calls: number;
}

/** Sends transactions at random moments until it is stopped. */
export class Workload {
  readonly #world: World;
  readonly #clients: readonly Client[];
  readonly #random: SeededRandom;
  readonly #secp256k1: Secp256k1;
  /** Where clients deployed, if the transaction was taken. */
  readonly #contracts: Address[] = [];
  #sent = 0;
  #calls = 0;
  #isStopped = false;

  constructor(world: World, clients: readonly Client[], random: SeededRandom, secp256k1: Secp256k1) {
    this.#world = world;
    this.#clients = clients;
    this.#random = random;
    this.#secp256k1 = secp256k1;
  }

  get figures(): WorkloadFigures {
    return { transactions: this.#sent, calls: this.#calls };
  }

  /** Where clients may have deployed, the newest. */
  get contracts(): readonly Address[] {
    return this.#contracts;
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

  // Most send coins to a client; others deploy, call what was deployed, or send it value.
  #choose(client: Client, to: Client, nonce: bigint): Pick<Transfer, 'to' | 'valueWei' | 'data' | 'gasLimit'> {
    const random = this.#random;
    const what = random.next();
    if (what < TRANSFER_SHARE) return { to: to.address, valueWei: 1n };
    if (what < DEPLOY_SHARE || this.#contracts.length === 0) {
      this.#contracts.push(createdAddressOf(client.address, nonce));
      if (this.#contracts.length > CONTRACTS_KNOWN_MAX) this.#contracts.shift();
      return { to: NO_TARGET, valueWei: 0n, data: deploying(CONTRACTS[random.pick(CONTRACT_NAMES)]), gasLimit: DEPLOY_GAS };
    }
    const contract = random.pick(this.#contracts);
    const valueWei = BigInt(random.integer(0, 3));
    if (what < SEND_SHARE) return { to: contract, valueWei };
    const about = random.chance(0.5) ? to.address : random.pick(this.#contracts);
    return { to: contract, valueWei, data: wordOf(about), gasLimit: random.chance(0.9) ? CALL_GAS : CALL_GAS_TOO_LITTLE };
  }

  #send(): void {
    const world = this.#world;
    const client = this.#random.pick(this.#clients);
    const to = this.#random.pick(this.#clients);
    const index = this.#random.integer(0, world.nodes.length);
    const node = world.nodes[index];
    if (node === undefined || !world.isUp(index)) return;
    // What this client sent elsewhere may not have come here yet: then it sends another transaction with that nonce.
    const nonce = nonceAt(node, client);
    if (nonce === undefined) return;
    const chosen = this.#choose(client, to, nonce);
    const raw = signTransfer(
      { secretKey: client.secretKey, nonce, chainId: world.genesis.parameters.evmChainId, ...chosen },
      this.#secp256k1,
    );
    this.#sent++;
    if (chosen.to !== to.address) this.#calls++;
    // Refusals are the node's good right: full, too low, known.
    node.transactions.submit(raw).catch(() => undefined);
  }
}

// Undefined where the node's disk gives an error: to its client too.
function nonceAt({ transactions }: Node, { address }: Client): bigint | undefined {
  try {
    return transactions.pendingNonce(address);
  } catch (error) {
    if (isError(error, 'storage/corrupt')) return undefined;
    throw error;
  }
}

/** The right-hand part of a word of call data. */
export function wordOf(address: Uint8Array): Uint8Array {
  return concatBytes(new Uint8Array(32 - address.length), address);
}

/** A transfer to be signed. */
export interface Transfer {
  readonly secretKey: Uint8Array;
  readonly nonce: bigint;
  /** Empty: create a contract. */
  readonly to: Uint8Array;
  readonly valueWei: bigint;
  readonly chainId: number;
  readonly data?: Uint8Array | undefined;
  /** A plain transfer's when absent. */
  readonly gasLimit?: bigint | undefined;
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
