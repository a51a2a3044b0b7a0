// What a carrier says beside consensus: nothing but what its parent says (protocol, section 6, "Closing"). It is there to bring the closing block a
// CC; so its content is that of the closing block, whose body is empty.
import { bytesEqual } from '../primitives/bytes.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { BeaconReference, type BlockBody, type BlockHeader, bodyRootOf, EMPTY_BODY, ExecutionCommitment } from '../protocol/block.ts';
import type { Payload } from './events.ts';

/** The part of a header that consensus does not fill in, without the proof that is its leader's. */
export type HeaderContent = Omit<Payload, 'vrfProof' | 'vrfOutput'>;

/** The content of a carrier on this parent: a closing block or another carrier. */
export function carrierContentOn(parent: BlockHeader): HeaderContent {
  const { timestampMs, beaconReference, bodyRoot, gasBought, baseFeePerGasWei, parentExecution, postStateRoot } = parent;
  return { timestampMs, beaconReference, bodyRoot, gasBought, baseFeePerGasWei, parentExecution, postStateRoot };
}

/** Whether a carrier says what it may. */
export function checkCarrierContent(
  { header, body }: { readonly header: BlockHeader; readonly body: BlockBody },
  parent: BlockHeader,
): Verdict<undefined, 'wrong-carrier'> {
  const wrong = (field: string): Verdict<undefined, 'wrong-carrier'> => refuse('wrong-carrier', field);
  if (Object.values(body).some((items) => items.length > 0)) return wrong('body');
  if (!bytesEqual(header.bodyRoot, bodyRootOf(EMPTY_BODY, []))) return wrong('bodyRoot');
  if (header.timestampMs !== parent.timestampMs) return wrong('timestampMs');
  if (!BeaconReference.equals(header.beaconReference, parent.beaconReference)) return wrong('beaconReference');
  if (header.gasBought !== parent.gasBought) return wrong('gasBought');
  if (header.baseFeePerGasWei !== parent.baseFeePerGasWei) return wrong('baseFeePerGasWei');
  if (!ExecutionCommitment.equals(header.parentExecution, parent.parentExecution)) return wrong('parentExecution');
  return bytesEqual(header.postStateRoot, parent.postStateRoot) ? accept(undefined) : wrong('postStateRoot');
}
