// Someone on the network without any key: takes messages that pass by, alters one thing, and sends them on in the name of their author.
// Every one of these must be refused, and none may take the place of what the author said.
import { BitArray } from '@chainsafe/ssz';
import { blockHashOf } from '../../../src/core/protocol/block.ts';
import type { QuorumCertificate, TimeoutCertificate } from '../../../src/core/protocol/certificate.ts';
import type { DriverMessage } from './driver-node.ts';
import type { Chance } from './driver-world.ts';

/** An altered copy; undefined where there is nothing to forge. Blocks that were asked for are checked by their hash, and so left alone. */
export function forgedFrom(message: DriverMessage, chance: Chance): DriverMessage | undefined {
  switch (message.kind) {
    case 'proposal': {
      const header = {
        ...message.header,
        ...chance.pick([
          { timestampMs: message.header.timestampMs + 1 },
          { round: message.header.round + 1 },
          { justify: message.header.justify.map((certificate) => forgedCertificate(certificate, chance)) },
          { timeoutCertificate: message.header.timeoutCertificate.map((certificate) => forgedTimeouts(certificate, chance)) },
          { timeoutCertificate: [], justify: [], proposer: message.header.proposer + 1 },
        ]),
      };
      const hash = blockHashOf(header);
      return { ...message, header, hash, signature: altered(message.signature, chance) };
    }
    case 'vote':
    case 'commit-vote': {
      const { vote } = message;
      const { point } = vote;
      const forgeries = [
        { ...vote, signature: altered(vote.signature, chance) },
        { ...vote, point: { ...point, blockHash: altered(point.blockHash, chance) } },
        { ...vote, point: { ...point, round: point.round + chance.integer(3) + 1 } },
        { ...vote, validator: vote.validator + 1 },
      ];
      const kind = chance.percent(20) ? (message.kind === 'vote' ? 'commit-vote' : 'vote') : message.kind;
      return { kind, vote: kind === message.kind ? chance.pick(forgeries) : vote };
    }
    case 'timeout': {
      const { timeout } = message;
      return {
        kind: 'timeout',
        timeout: chance.pick([
          { ...timeout, round: timeout.round + 1 + chance.integer(50) },
          { ...timeout, validator: timeout.validator + 1 },
          { ...timeout, signature: altered(timeout.signature, chance) },
          {
            ...timeout,
            highestQuorumCertificate: timeout.highestQuorumCertificate.map((certificate) => forgedCertificate(certificate, chance)),
            signature: altered(timeout.signature, chance),
          },
        ]),
      };
    }
    case 'certificates': {
      const { bundle } = message;
      const [commitCertificate] = bundle.commitCertificate;
      const forged = {
        highestQuorumCertificate: bundle.highestQuorumCertificate.map((certificate) => forgedCertificate(certificate, chance)),
        timeoutCertificate: bundle.timeoutCertificate.map((certificate) => forgedTimeouts(certificate, chance)),
      };
      if (forged.highestQuorumCertificate.length + forged.timeoutCertificate.length === 0) return undefined;
      // A QC in the place of a CC is the dangerous one: who believes it commits what nobody commit-voted for.
      const asCommit = bundle.highestQuorumCertificate.length > 0 && commitCertificate === undefined && chance.percent(50);
      const swapped = { commitCertificate: bundle.highestQuorumCertificate, commitQuorumCertificate: bundle.highestQuorumCertificate };
      return { kind: 'certificates', bundle: asCommit ? { ...bundle, ...swapped } : { ...bundle, ...forged } };
    }
    case 'blocks':
      return undefined;
  }
}

function forgedCertificate(certificate: QuorumCertificate, chance: Chance): QuorumCertificate {
  const { point, signers, signature } = certificate;
  return chance.pick([
    { ...certificate, point: { ...point, round: point.round + 1 } },
    { ...certificate, point: { ...point, blockHash: altered(point.blockHash, chance) } },
    {
      ...certificate,
      signers: BitArray.fromBoolArray(Array.from({ length: signers.bitLen }, () => true)),
      signature: altered(signature, chance),
    },
    { ...certificate, signature: altered(signature, chance) },
  ]);
}

function forgedTimeouts(certificate: TimeoutCertificate, chance: Chance): TimeoutCertificate {
  return chance.pick([
    { ...certificate, round: certificate.round + 1 + chance.integer(9) },
    {
      ...certificate,
      highestQuorumCertificate: [],
      highestQuorumCertificateRounds: certificate.highestQuorumCertificateRounds.map(() => 0),
      signature: altered(certificate.signature, chance),
    },
    { ...certificate, signature: altered(certificate.signature, chance) },
  ]);
}

function altered(bytes: Uint8Array, chance: Chance): Uint8Array {
  const copy = bytes.slice();
  const place = chance.integer(copy.length);
  copy[place] = (copy[place] as number) ^ (1 + chance.integer(255));
  return copy;
}
