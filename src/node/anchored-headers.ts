// Where an instance of a shard stands in the beacon's chain, read back from the beacon's blocks: the headers that crosslinks made final, newest first,
// down to the newest one that this node has committed too.

import { bytesEqual } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32, Height } from '../core/primitives/ids.ts';
import { type BlockHeader, blockHashOf, EMPTY_BODY } from '../core/protocol/block.ts';
import { Block, type CertifiedBlock } from '../core/protocol/certified-block.ts';
import type { Instance } from '../core/protocol/committee.ts';
import { Crosslink } from '../core/protocol/crosslink.ts';
import { decodeCanonical, storedValue } from '../core/protocol/ssz.ts';
import type { NamedBlock } from '../runtime/anchored-branch.ts';
import type { BeaconStore } from '../storage/beacon-store.ts';
import type { BlockStore } from '../storage/block-store.ts';

/** What of an instance is final, as far as this node's own branch does not have it. */
export interface AnchoredAbove {
  /** The newest header that is both anchored and committed here; the record's place where there is none. */
  readonly sharedHeight: Height;
  /** Anchored headers above, ascending. */
  readonly above: readonly NamedBlock[];
  /** The same with their certificates, for evidence; bodies are not looked at. */
  readonly certified: readonly CertifiedBlock[];
}

/** Where it is read. */
export interface AnchoredHeadersSources {
  readonly blockStore: BlockStore;
  readonly beaconStore: BeaconStore;
}

/** See the file's head. `beaconHeight` is that of the newest committed beacon block. */
export function readAnchoredAbove(sources: AnchoredHeadersSources, instance: Instance, beaconHeight: Height): AnchoredAbove {
  const { chain, instanceId, startRecord } = instance;
  const committedHash = (height: Height): Bytes32 | undefined => sources.blockStore.getByHeight({ chain, instanceId, height })?.hash;
  const above: (NamedBlock & { readonly certified: CertifiedBlock })[] = [];
  for (let height = beaconHeight; height > startRecord.beaconHeight; height--) {
    for (const crosslink of crosslinksAt(sources, height)
      .filter(({ shard, epoch }) => shard === chain && epoch === instance.epoch)
      .reverse()) {
      for (const [place, header] of [...crosslink.headers.entries()].reverse()) {
        const hash = blockHashOf(header);
        const own = committedHash(header.height);
        if (own !== undefined && bytesEqual(own, hash)) return found(header.height, above);
        above.push({ height: header.height, hash, certified: certifiedIn(crosslink, place, header) });
      }
    }
  }
  return found(startRecord.height, above);
}

function found(sharedHeight: Height, above: readonly (NamedBlock & { readonly certified: CertifiedBlock })[]): AnchoredAbove {
  const ascending = above.toReversed();
  return { sharedHeight, above: ascending, certified: ascending.map(({ certified }) => certified) };
}

function crosslinksAt({ blockStore, beaconStore }: AnchoredHeadersSources, height: Height): readonly Crosslink[] {
  const point = beaconStore.getPoint(height);
  const stored = point && blockStore.getByHash(point.hash);
  invariant(stored !== undefined, `beacon block ${height} is on disk`);
  return storedValue(Block, stored.block).body.crosslinks.map((encoded) => {
    const crosslink = decodeCanonical(Crosslink, encoded);
    invariant(crosslink.ok, 'a crosslink of a committed beacon block decodes');
    return crosslink.value;
  });
}

// The QC of a header is its child's justify; of a closing one with carriers that of the first carrier.
function certifiedIn(
  { headers, carriers, quorumCertificate, commitCertificate }: Crosslink,
  place: number,
  header: BlockHeader,
): CertifiedBlock {
  const child = headers[place + 1] ?? carriers[0];
  const [justify] = child?.justify ?? [];
  return {
    block: { header, body: EMPTY_BODY },
    certificates: { quorumCertificate: justify ?? quorumCertificate, commitCertificate: child === undefined ? [commitCertificate] : [] },
  };
}
