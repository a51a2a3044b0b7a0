// Load that crosses shards in every way: transfers, creations, calls of one's own and of others' contracts that send on what they are paid, to accounts
// and to a contract that takes nothing, so that it comes back. Every transaction that was sent is remembered until its receipt is there.
import type { RpcClient } from '../../bench/devnet/json-rpc-client.ts';
import { type Sender, type SignedTransaction, signNext, type TransactionShape } from '../../bench/devnet/transactions.ts';
import { createdAddressOf } from '../../src/core/execution/created-address.ts';
import { bytesToPrefixedHex, hex } from '../../src/core/primitives/bytes.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';

/** Sends the value that came with a call on to the address in the first word of its data. */
const FORWARDER = hex('600d600c600039600d6000f36000808080346000355af15000');
/** Reverts whatever comes. */
const REFUSER = hex('6005600c60003960056000f360006000fd');
/** Transactions of one sender that are sent and not seen final. */
const UNDER_WAY_MAX = 8;
const RESEND_MS = 2_000;
const NO_DATA = new Uint8Array(0);

/** What was sent, and what became of it. */
export interface LoadFigures {
  readonly sent: number;
  readonly succeeded: number;
  readonly reverted: number;
  readonly creations: number;
  readonly calls: number;
  readonly transfers: number;
  /** Refused at first, by what the node said: it was not counted as sent. */
  readonly refused: number;
}

/** Of what was sent, how much calls or creates a contract. */
export function callsShareOf({ sent, calls, creations }: LoadFigures): number {
  return (calls + creations) / Math.max(1, sent);
}

interface Sending {
  readonly sender: Sender;
  step: number;
  forwarder: string | undefined;
  readonly underWay: Map<string, SignedTransaction>;
  resentAtMs: number;
}

/** See the file's head. */
export class EpochsLoad {
  readonly #sendings: readonly Sending[];
  readonly #chainId: number;
  readonly #secp256k1 = selectCrypto({ disableNative: false }).secp256k1;
  readonly #counts = { sent: 0, succeeded: 0, reverted: 0, creations: 0, calls: 0, transfers: 0, refused: 0 };
  #refuser: string | undefined;

  constructor(senders: readonly Sender[], chainId: number) {
    this.#chainId = chainId;
    this.#sendings = senders.map((sender) => ({ sender, step: 0, forwarder: undefined, underWay: new Map(), resentAtMs: 0 }));
  }

  get figures(): LoadFigures {
    return this.#counts;
  }

  /** Transactions whose receipt nobody has seen yet. */
  get underWay(): number {
    return this.#sendings.reduce((sum, { underWay }) => sum + underWay.size, 0);
  }

  /** One more of each sender that has not too many under way. */
  async send(rpc: RpcClient): Promise<void> {
    const fresh: { readonly sending: Sending; readonly signed: SignedTransaction; readonly shape: TransactionShape }[] = [];
    for (const sending of this.#sendings) {
      if (sending.underWay.size >= UNDER_WAY_MAX) continue;
      const shape = this.#nextShape(sending);
      fresh.push({ sending, signed: signNext(sending.sender, shape, this.#chainId, this.#secp256k1), shape });
    }
    // Whether a node that dies has taken them nobody knows: they are sent again until they are final.
    for (const { sending, signed } of fresh) sending.underWay.set(signed.hash, signed);
    const errors = await rpc.sendRaw(fresh.map(({ signed }) => signed.raw));
    for (const [index, { sending, signed, shape }] of fresh.entries()) {
      if (errors[index] !== undefined && !/already known/.test(errors[index] ?? '')) {
        this.#counts.refused++;
        sending.underWay.delete(signed.hash);
        sending.sender.nonce--;
        continue;
      }
      this.#counts.sent++;
      this.#counts[shape.to === undefined ? 'creations' : shape.data.length > 0 ? 'calls' : 'transfers']++;
      sending.step++;
    }
  }

  /** Looks which are final, and sends again what is not after a while. */
  async follow(rpc: RpcClient): Promise<void> {
    for (const sending of this.#sendings) {
      for (const hash of [...sending.underWay.keys()]) {
        const receipt = (await rpc.call('eth_getTransactionReceipt', [hash])) as { readonly status: string } | null;
        if (receipt === null) break;
        sending.underWay.delete(hash);
        this.#counts[receipt.status === '0x1' ? 'succeeded' : 'reverted']++;
        sending.resentAtMs = performance.now();
      }
      if (sending.underWay.size === 0 || performance.now() - sending.resentAtMs < RESEND_MS) continue;
      sending.resentAtMs = performance.now();
      await rpc.sendRaw([...sending.underWay.values()].map(({ raw }) => raw));
    }
  }

  #nextShape(sending: Sending): TransactionShape {
    const { sender, step } = sending;
    const place = this.#sendings.indexOf(sending);
    const other = this.#sendings[(place + 1 + step) % this.#sendings.length] as Sending;
    if (step === 0) return this.#creation(sending, FORWARDER, 'forwarder');
    if (this.#refuser === undefined && step === 1) return this.#creation(sending, REFUSER, 'refuser');
    const targets = [
      this.#transfer(other.sender.address),
      this.#call(sending.forwarder, other.sender.address),
      this.#call(other.forwarder, sender.address),
      this.#call(sending.forwarder, this.#refuser),
      this.#transfer(this.#refuser),
      step % 10 === 5
        ? this.#creation(sending, FORWARDER, 'another')
        : this.#transfer(`0x${(0xc0_00 + step).toString(16).padStart(40, '0')}`),
    ];
    return (
      targets[step % targets.length] ??
      this.#transfer(other.sender.address) ?? { to: other.sender.address, valueWei: 1n, gasLimit: 21_000, data: NO_DATA }
    );
  }

  #creation(sending: Sending, data: Uint8Array, what: 'forwarder' | 'refuser' | 'another'): TransactionShape {
    const { sender } = sending;
    const address = bytesToPrefixedHex(createdAddressOf(hex(sender.address), BigInt(sender.nonce)));
    if (what === 'forwarder') sending.forwarder = address;
    if (what === 'refuser') this.#refuser = address;
    return { to: undefined, valueWei: 0n, gasLimit: 300_000, data };
  }

  #transfer(to: string | undefined): TransactionShape | undefined {
    return to === undefined ? undefined : { to, valueWei: 10n, gasLimit: 60_000, data: NO_DATA };
  }

  #call(contract: string | undefined, target: string | undefined): TransactionShape | undefined {
    if (contract === undefined || target === undefined) return undefined;
    return { to: contract, valueWei: 10n, gasLimit: 300_000, data: hex(target.slice(2).padStart(64, '0')) };
  }
}
