// What clients see of a node that follows all shards: most nodes of a world do, and whoever asks others has lost the thread.
import { invariant } from '../core/primitives/errors.ts';
import type { Node } from '../node/create-node.ts';
import type { ViewChain } from '../runtime/view-chain.ts';

/** See the file's head. */
export function viewOf({ view }: Node): ViewChain {
  invariant(view !== undefined, 'a node that follows all shards has a view');
  return view;
}
