// A shard's leader whose blocks say one thing wrongly, with everything that follows from it made to fit and signed anew: only the one rule that
// forbids it stands between such a block and the chain.
import { isCarrier } from '../../../core/consensus/block-role.ts';
import { keccak256 } from '../../../core/crypto/keccak.ts';
import { intrinsicGas } from '../../../core/execution/intrinsic-gas.ts';
import { backlogOf } from '../../../core/messaging/congestion.ts';
import type { HeldBundle } from '../../../core/messaging/held-bundle.ts';
import { verifyInbox } from '../../../core/messaging/inbox.ts';
import { InboxItem } from '../../../core/messaging/inbox-item.ts';
import { type BundleName, bundleNameOf } from '../../../core/messaging/lane-view.ts';
import { selectInbox } from '../../../core/messaging/select-inbox.ts';
import { bytesEqual, bytesToHex } from '../../../core/primitives/bytes.ts';
import { isError } from '../../../core/primitives/errors.ts';
import type { Height } from '../../../core/primitives/ids.ts';
import { blockHashOf, bodyRootOf, EMPTY_BODY } from '../../../core/protocol/block.ts';
import { decodeMessage, encodeMessage } from '../../../core/protocol/message-codec.ts';
import type { NetworkParameters } from '../../../core/protocol/parameters.ts';
import { storedValue } from '../../../core/protocol/ssz.ts';
import type { Proposal } from '../../../core/protocol/vote.ts';
import { type BeaconView, closesInstance, isFamilyOf, referenceOf, type ShardInstance } from '../../../core/shard/beacon-view.ts';
import { inboxGasOf } from '../../../core/shard/shard-load.ts';
import { shardBaseFeeAfter } from '../../../core/shard/validate-shard-block.ts';
import type { ShardChain } from '../../../node/create-shards.ts';
import { decodeSent } from '../../../runtime/bundle-shelf.ts';
import { createShardStore } from '../../../storage/shard-store.ts';
import { shardInstanceOf } from '../../adversaries/empty-block.ts';
import type { UnsignedBlock } from '../../adversaries/post-state.ts';
import { createClients, signTransfer, type Transfer } from '../../workload.ts';
import type { WrongField } from '../trial.ts';
import { FORGER, type Forgery, type Hand, signedBy } from './hand.ts';

type Header = Proposal['header'];
type WrongTransaction = 'spent-nonce' | 'balance' | 'data-floor' | 'foreign-sender' | 'closing-body';

/** A right block, and what it stands on. */
interface Right extends UnsignedBlock {
  readonly hand: Hand;
  readonly chain: ShardChain;
  readonly instance: ShardInstance;
  readonly parent: ShardChain['blocks']['committed'];
  /** At the block's reference. */
  readonly view: BeaconView;
  readonly parameters: NetworkParameters;
}

const CLIENTS = 12;
const TRANSFER_GAS = 21_000;
const DATA = Uint8Array.of(1, 2, 3);
/** Less than a transfer may cost at most, and more than it does cost. */
const LEFT_WEI = 10n ** 15n;

/** A leader that lies about the field. */
export function wrongField(field: WrongField): Forgery {
  return {
    instead: async (message, hand) => {
      if (message.kind !== 'proposal') return [message];
      const right = await rightOf(message.proposal, hand);
      const wrong = right === undefined ? undefined : await wrongBlock(field, right);
      return wrong === undefined ? [message] : [{ kind: 'proposal', proposal: signedBy(wrong, hand) }];
    },
  };
}

// Undefined of what is not a shard's, of carriers, and of the first block of an instance.
async function rightOf({ header, body }: Proposal, hand: Hand): Promise<Right | undefined> {
  const { node, world } = hand;
  const chain = [...node.shards.chains.values()].find(({ instance }) => bytesEqual(instance.instanceId, header.instanceId));
  const view = node.window.viewAt(header.beaconReference.height);
  if (chain === undefined || view === undefined || isCarrier(header) || header.justify.length === 0) return undefined;
  try {
    const parent = await chain.blocks.outcomeOf(header.parentHash);
    return { header, body, hand, chain, instance: shardInstanceOf(chain, node), parent, view, parameters: world.genesis.parameters };
  } catch (error) {
    if (isError(error, 'chain-blocks/not-held')) return undefined; // Committed past it meanwhile.
    throw error;
  }
}

// Undefined where the block gives no occasion.
async function wrongBlock(field: WrongField, right: Right): Promise<UnsignedBlock | undefined> {
  const { header, body, parent } = right;
  const saying = (changed: Partial<Header>): UnsignedBlock => ({ header: { ...header, ...changed }, body });
  switch (field) {
    case 'vrf-proof':
      return saying({ vrfProof: flipped(header.vrfProof) });
    case 'timestamp':
      return priced({ ...right, ...saying({ timestampMs: parent.facts.timestampMs }) });
    case 'beacon-reference':
      return saying({ beaconReference: { ...header.beaconReference, hash: flipped(header.beaconReference.hash) } });
    case 'reference-back':
      return onReference(parent.asParent.referenceHeight - 1, right);
    case 'reference-old':
      return onReference(parent.asParent.referenceHeight, right);
    case 'gas-bought':
      return priced({ ...right, ...saying({ gasBought: header.gasBought + TRANSFER_GAS }) });
    case 'base-fee':
      return saying({ baseFeePerGasWei: header.baseFeePerGasWei + 1n });
    case 'state-root':
      return saying({ parentExecution: { ...header.parentExecution, stateRoot: flipped(header.parentExecution.stateRoot) } });
    case 'cursors':
      return saying({ parentExecution: { ...header.parentExecution, cursors: [] } });
    case 'inbox-gap':
      return body.inbox.length < 2 ? undefined : withBody(right, { ...body, inbox: body.inbox.slice(1) });
    case 'inbox-order':
      return body.inbox.length < 2 ? undefined : withBody(right, { ...body, inbox: body.inbox.toReversed() });
    case 'inbox-twice':
      return body.inbox.length < 1 ? undefined : withBody(right, { ...body, inbox: [...body.inbox, ...body.inbox.slice(-1)] });
    case 'inbox-message':
      return body.inbox.length < 1 ? undefined : withBody(right, { ...body, inbox: body.inbox.map(richer) });
    case 'inbox-share':
      return takingMore(right);
    case 'body-root':
      return saying({ bodyRoot: flipped(header.bodyRoot) });
    case 'post-state-root':
      return saying({ postStateRoot: flipped(header.postStateRoot) });
    case 'lazy':
      return body.inbox.length < 1 ? undefined : withBody(right, { ...body, inbox: [], bundleIndexes: [] });
    default:
      return withTransaction(field, right);
  }
}

// An empty block that refers to this beacon block.
function onReference(height: Height, right: Right): UnsignedBlock | undefined {
  const { hand, header } = right;
  const view = hand.node.window.viewAt(height);
  if (view === undefined) return undefined;
  return withBody({ ...right, view, header: { ...header, gasBought: 0, beaconReference: referenceOf(view) } }, EMPTY_BODY);
}

// One more transaction, of a client that has none in the block.
function withTransaction(field: WrongTransaction, right: Right): UnsignedBlock | undefined {
  const { header, body, hand, chain, instance, parent, view } = right;
  const { world, crypto } = hand;
  if (field === 'closing-body' && !closesInstance(view, instance)) return undefined;
  const held = chain.blocks.get(blockHashOf(header));
  const busy = new Set((held?.transactions ?? []).map(({ senderHex }) => senderHex));
  const isOwn = field !== 'foreign-sender';
  const client = createClients(CLIENTS, crypto.secp256k1).find(
    ({ address }) => !busy.has(bytesToHex(address)) && isFamilyOf(instance, address) === isOwn,
  );
  const account = client === undefined ? undefined : parent.version.getAccount(client.address, client.address);
  if (client === undefined || (isOwn && account === undefined)) return undefined;
  const plain: Transfer = {
    secretKey: client.secretKey,
    nonce: account?.nonce ?? 0n,
    to: client.address,
    valueWei: isOwn ? 1n : 0n,
    chainId: world.genesis.parameters.evmChainId,
  };
  const transfer = wrongTransfer(field, plain, account?.balanceWei ?? 0n);
  if (transfer === undefined) return undefined;
  const raw = signTransfer(transfer, crypto.secp256k1);
  const gasBought = header.gasBought + Number(transfer.gasLimit ?? TRANSFER_GAS);
  return withBody({ ...right, header: { ...header, gasBought } }, { ...body, transactions: [...body.transactions, raw] });
}

function wrongTransfer(field: WrongTransaction, plain: Transfer, balanceWei: bigint): Transfer | undefined {
  switch (field) {
    case 'spent-nonce':
      return plain.nonce === 0n ? undefined : { ...plain, nonce: plain.nonce - 1n };
    case 'balance':
      return { ...plain, valueWei: balanceWei - LEFT_WEI };
    case 'data-floor':
      return { ...plain, data: DATA, gasLimit: BigInt(intrinsicGas({ to: plain.to, data: DATA, accessList: [] })) };
    case 'foreign-sender':
    case 'closing-body':
      return plain;
  }
}

function withBody(right: Right, body: UnsignedBlock['body']): UnsignedBlock {
  const bodyRoot = bodyRootOf(
    body,
    body.transactions.map((each) => keccak256(each)),
  );
  return priced({ ...right, body, header: { ...right.header, bodyRoot } });
}

// The base fee follows from gas, inbox, backlog and timestamp. An inbox that cannot be read has no price: as it is, it is refused anyway.
function priced({ header, body, instance, parent, view, parameters }: Right): UnsignedBlock {
  const { shard } = instance;
  const inbox = verifyInbox({ shard, parentCursors: parent.commitment.cursors, view: view.lanes, body, share: parameters });
  if (!inbox.ok) return { header, body };
  const { messages, cursors } = inbox.value;
  const baseFeePerGasWei = shardBaseFeeAfter({
    parent: parent.asParent,
    timestampMs: header.timestampMs,
    gasBought: header.gasBought,
    inboxGas: inboxGasOf(messages),
    backlog: backlogOf(shard, cursors, view.lanes),
    parameters,
  });
  return { header: { ...header, baseFeePerGasWei }, body };
}

// An inbox of all that is there, as if ten times as much fitted.
async function takingMore(right: Right): Promise<UnsignedBlock | undefined> {
  const { body, hand, instance, parent, view, parameters } = right;
  const disk = hand.world.disks[FORGER];
  if (disk === undefined || closesInstance(view, instance)) return undefined;
  const store = createShardStore(disk.rows);
  const held = new Map<BundleName, HeldBundle>();
  for (const source of hand.world.genesis.layout)
    for (const { height, sent } of await store.readSent(source))
      for (const bundle of decodeSent(source, height, sent).bundles) held.set(bundleNameOf(bundle.place), bundle);
  const taken = selectInbox({
    shard: instance.shard,
    parentCursors: parent.commitment.cursors,
    view: view.lanes,
    share: { ...parameters, inboxBytesShare: 10 * parameters.inboxBytesShare },
    held,
  });
  return taken.inbox.length <= body.inbox.length ? undefined : withBody(right, { ...body, ...taken });
}

// An item whose message brings one wei more.
function richer(item: Uint8Array): Uint8Array {
  const decoded = storedValue(InboxItem, item);
  const message = decodeMessage(decoded.message);
  if (!message.ok) throw new Error('a message in a right block decodes');
  return InboxItem.serialize({ ...decoded, message: encodeMessage({ ...message.value, valueWei: message.value.valueWei + 1n }) });
}

function flipped(bytes: Uint8Array): Uint8Array {
  return bytes.with(0, (bytes[0] as number) ^ 1);
}
