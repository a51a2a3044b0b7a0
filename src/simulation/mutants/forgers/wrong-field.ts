// A leader whose blocks say one thing wrongly, with everything that follows from it made to fit and signed anew: only the one rule that
// forbids it stands between such a block and the chain.
import { keccak256 } from '../../../core/crypto/keccak.ts';
import { intrinsicGas } from '../../../core/execution/intrinsic-gas.ts';
import { bytesEqual, bytesToHex } from '../../../core/primitives/bytes.ts';
import { blockHashOf, bodyRootOf } from '../../../core/protocol/block.ts';
import type { Proposal } from '../../../core/protocol/vote.ts';
import { baseFeeAfter } from '../../../core/shard/build-block.ts';
import { createClients, signTransfer, type Transfer } from '../../workload.ts';
import type { WrongField } from '../trial.ts';
import { type Forgery, type Hand, signedAgain } from './hand.ts';

type Header = Proposal['header'];

const CLIENTS = 12;
const TRANSFER_GAS = 21_000;
const DATA = Uint8Array.of(1, 2, 3);
/** Less than a transfer may cost at most, and more than it does cost. */
const LEFT_WEI = 10n ** 15n;

/** A leader that lies about the field. */
export function wrongField(field: WrongField): Forgery {
  return {
    instead: (message, hand) =>
      message.kind === 'proposal' ? [{ kind: 'proposal', proposal: wrongProposal(field, message.proposal, hand) }] : [message],
  };
}

// The first block of an instance, and one on a parent that is not committed yet, are left as they are.
function wrongProposal(field: WrongField, proposal: Proposal, hand: Hand): Proposal {
  const { header } = proposal;
  const { committed } = hand.node.chain.blocks;
  if (header.justify.length === 0 || !bytesEqual(header.parentHash, committed.hash)) return proposal;
  switch (field) {
    case 'vrf-proof':
      return signedAgain(proposal, { ...header, vrfProof: flipped(header.vrfProof) }, hand);
    case 'timestamp':
      return signedAgain(proposal, priced({ ...header, timestampMs: committed.facts.timestampMs }, hand), hand);
    case 'beacon-reference':
      return signedAgain(proposal, { ...header, beaconReference: { ...header.beaconReference, height: header.height } }, hand);
    case 'gas-bought':
      return signedAgain(proposal, priced({ ...header, gasBought: header.gasBought + TRANSFER_GAS }, hand), hand);
    case 'base-fee':
      return signedAgain(proposal, { ...header, baseFeePerGasWei: header.baseFeePerGasWei + 1n }, hand);
    case 'state-root': {
      const parentExecution = { ...header.parentExecution, stateRoot: flipped(header.parentExecution.stateRoot) };
      return signedAgain(proposal, { ...header, parentExecution }, hand);
    }
    default:
      return withTransaction(proposal, field, hand);
  }
}

// One more transaction, of a client that has none in the block.
function withTransaction(proposal: Proposal, field: 'spent-nonce' | 'balance' | 'data-floor', hand: Hand): Proposal {
  const { world, crypto, node } = hand;
  const { version } = node.chain.blocks.committed;
  const held = node.chain.blocks.get(blockHashOf(proposal.header));
  const busy = new Set((held?.transactions ?? []).map(({ senderHex }) => senderHex));
  const client = createClients(CLIENTS, crypto.secp256k1).find(({ address }) => {
    const account = version.getAccount(address, address);
    return !busy.has(bytesToHex(address)) && account !== undefined && account.nonce > 0n;
  });
  const account = client === undefined ? undefined : version.getAccount(client.address, client.address);
  if (client === undefined || account === undefined) return proposal;
  const plain: Transfer = {
    secretKey: client.secretKey,
    nonce: account.nonce,
    to: client.address,
    valueWei: 1n,
    chainId: world.genesis.parameters.evmChainId,
  };
  const transfer = wrongTransfer(field, plain, account.balanceWei);
  const raw = signTransfer(transfer, crypto.secp256k1);
  const body = { ...proposal.body, transactions: [...proposal.body.transactions, raw] };
  const bodyRoot = bodyRootOf(
    body,
    body.transactions.map((each) => keccak256(each)),
  );
  const header = priced(
    { ...proposal.header, bodyRoot, gasBought: proposal.header.gasBought + Number(transfer.gasLimit ?? TRANSFER_GAS) },
    hand,
  );
  return signedAgain({ ...proposal, body }, header, hand);
}

function wrongTransfer(field: 'spent-nonce' | 'balance' | 'data-floor', plain: Transfer, balanceWei: bigint): Transfer {
  switch (field) {
    case 'spent-nonce':
      return { ...plain, nonce: plain.nonce - 1n };
    case 'balance':
      return { ...plain, valueWei: balanceWei - LEFT_WEI };
    case 'data-floor':
      return { ...plain, data: DATA, gasLimit: BigInt(intrinsicGas({ to: plain.to, data: DATA, accessList: [] })) };
  }
}

// The base fee follows from gas and timestamp.
function priced(header: Header, { node }: Hand): Header {
  const { chain } = node;
  return {
    ...header,
    baseFeePerGasWei: baseFeeAfter(chain.blocks.committed.facts, header.gasBought, header.timestampMs, chain.parameters),
  };
}

function flipped(bytes: Uint8Array): Uint8Array {
  return bytes.with(0, (bytes[0] as number) ^ 1);
}
