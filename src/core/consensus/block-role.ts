// What a block is to its instance (protocol, section 6, "Closing"). An instance ends with a *closing* block. Above it the committee makes
// *carriers*: at the height of their parent, without content, no part of the chain. All that they do is to bring the closing block a CC, since
// a CC covers a block and all its ancestors: a commit rule without a next block would leave a closing block uncommitted for ever, once its
// round was given up with its QC in the hands of a few.
//
// Which block closes is validity, and so the shell's to say; what a carrier is shows on its face. Carriers are not counted: the 257th is as
// valid as the first, although no crosslink can hold it. A rule against it would stop the instance where it is still able to end by itself.
import type { Height } from '../primitives/ids.ts';
import type { BlockHeader } from '../protocol/block.ts';
import type { ChainPoint } from './leader.ts';

/** See the file's head. */
export type BlockRole = 'ordinary' | 'closing' | 'carrier';

/** True if the header is of a carrier: its height is that of the block whose QC it carries. */
export function isCarrier({ height, justify }: Pick<BlockHeader, 'height' | 'justify'>): boolean {
  return justify[0]?.point.height === height;
}

/** The height of the block below. */
export function parentHeightOf(header: Pick<BlockHeader, 'height' | 'justify'>): Height {
  return isCarrier(header) ? header.height : header.height - 1;
}

/** True of a closing block and of a carrier: above them are carriers only. */
export function endsChain(role: BlockRole): boolean {
  return role !== 'ordinary';
}

/** The height of a block on this parent. */
export function heightOn(parent: Pick<ChainPoint, 'height'>, parentRole: BlockRole): Height {
  return endsChain(parentRole) ? parent.height : parent.height + 1;
}

/** Above a closing block or a carrier there are only carriers, and carriers are nowhere else. */
export function mayFollow(header: Pick<BlockHeader, 'height' | 'justify'>, parentRole: BlockRole): boolean {
  return isCarrier(header) === endsChain(parentRole);
}

/** True if what the shell says of a block is what the header shows: of a carrier it shows all, of others nothing. */
export function isRoleOf(role: BlockRole, header: Pick<BlockHeader, 'height' | 'justify'>): boolean {
  return isCarrier(header) === (role === 'carrier');
}
