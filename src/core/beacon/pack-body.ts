// What of the operations at hand goes into a beacon block: as many as fit, each valid after those before it. One that does not hold is left out and
// costs the others nothing, and where not all fit, shards take turns: none waits because others have much to say.
import { BlockBody, EMPTY_BODY } from '../protocol/block.ts';
import { CROSSLINK_BYTES_MAX } from '../protocol/limits.ts';
import { anchorCrosslink } from './anchoring.ts';
import type { BeaconConstants } from './constants.ts';
import { judgeCrosslink } from './crosslink.ts';
import { applyEvidence } from './slashing.ts';
import { stateBeforeOperations, type TransitionInput } from './transition.ts';

/** Operations that a leader has. */
export type Operations = Pick<BlockBody, 'crosslinks' | 'evidence'>;

/** An offset in the list that holds it. */
const OPERATION_FRAMING_BYTES = 4;
const EMPTY_BODY_BYTES = BlockBody.value_serializedSize(EMPTY_BODY);

/** Bytes that a crosslink may have, so that a body has room for it. */
export function crosslinkBytesMaxOf({ parameters: { bodyBytesMax } }: BeaconConstants): number {
  return Math.min(CROSSLINK_BYTES_MAX, bodyBytesMax - EMPTY_BODY_BYTES - OPERATION_FRAMING_BYTES);
}

/**
 * See the file's head.
 *
 * @param input the block that is made, without its body
 * @param offered crosslinks of different records, in the order in which they shall stand
 */
export function packBody(input: Omit<TransitionInput, 'body'>, offered: Operations): BlockBody {
  const { constants, block, beaconHashAt } = input;
  let state = stateBeforeOperations(input);
  let bytesLeft = constants.parameters.bodyBytesMax - EMPTY_BODY_BYTES;
  const fits = (operation: Uint8Array): boolean => operation.length + OPERATION_FRAMING_BYTES <= bytesLeft;
  const evidence: Uint8Array[] = [];
  for (const encoded of offered.evidence) {
    const applied = fits(encoded) ? applyEvidence(constants, state, encoded) : undefined;
    if (applied?.ok !== true) continue;
    state = applied.value.state;
    bytesLeft -= encoded.length + OPERATION_FRAMING_BYTES;
    evidence.push(encoded);
  }
  const taken = new Set<Uint8Array>();
  for (const encoded of inTurn(offered.crosslinks, block.height)) {
    const judged = fits(encoded) ? judgeCrosslink({ constants, state, encoded, beaconHashAt }) : undefined;
    if (judged?.ok !== true) continue;
    state = anchorCrosslink(state, judged.value, taken.size).state;
    bytesLeft -= encoded.length + OPERATION_FRAMING_BYTES;
    taken.add(encoded);
  }
  return { ...EMPTY_BODY, evidence, crosslinks: offered.crosslinks.filter((encoded) => taken.has(encoded)) };
}

// Another is the first at each height.
function inTurn<T>(items: readonly T[], height: number): readonly T[] {
  const first = items.length === 0 ? 0 : height % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
