// What excuses a node that ends by itself: its disk was full, or what it reads has rotted, and it says which. Nothing else does.
import { isError } from '../core/primitives/errors.ts';

/** The faults of the disk that a node has had. */
export interface DiskFaults {
  readonly hasHadFullDisk: boolean;
  readonly hasHadBitRot: boolean;
}

/** Which fault of its disk the error that ended a node names, if the node has had that fault. */
export function excuseOf(error: unknown, { hasHadFullDisk, hasHadBitRot }: DiskFaults): 'full-disk' | 'bit-rot' | undefined {
  if (hasHadFullDisk && isError(error, 'storage/unavailable')) return 'full-disk';
  if (hasHadBitRot && isError(error, 'storage/corrupt')) return 'bit-rot';
  return undefined;
}
