// coppice_getProof: proves an account and storage slots, or their absence, against a block's `stateRoot` (protocol, section 4: pointer, account
// in its family, slots against the account's storage root).
import type { Bytes32 } from '../../core/primitives/ids.ts';
import type { StateProof } from '../../core/state/proof.ts';
import { finalBlockOf, LATEST, readBlockSelector } from '../block-selector.ts';
import { headerNotFound, stateUnavailable } from '../errors.ts';
import { data, type JsonObject, quantity } from '../json.ts';
import { defineMethod } from '../method.ts';
import { optional, readAddress, readList, readSlot, required } from '../parameter.ts';

const SLOTS_MAX = 1024;

/** See the file's head. */
export const getProof = defineMethod(
  'coppice_getProof',
  [required('address', readAddress), optional('slots', readList(readSlot, SLOTS_MAX), []), optional('block', readBlockSelector, LATEST)],
  async ({ ports }, address, slots, selector) => {
    const block = await finalBlockOf(selector, ports);
    if (block === undefined) return headerNotFound();
    const proof = await ports.state.prove(block.header.number, address, slots);
    if (proof === undefined) return stateUnavailable(block.header.number);
    return {
      address: data(address),
      family: data(proof.family),
      blockNumber: quantity(block.header.number),
      blockHash: data(block.hash),
      stateRoot: data(block.header.stateRoot),
      pointerProof: formatProof(proof.pointer),
      accountProof: formatProof(proof.account.account),
      storageProofs: proof.account.storage.map((storage, index) => ({ slot: data(slots[index] as Bytes32), ...formatProof(storage) })),
    };
  },
);

// The key that is proved present or absent; siblings from the root down; the leaf at the end of the way with its committed encoding,
// or null where nothing stands.
function formatProof({ key, siblings, leaf }: StateProof): JsonObject {
  return {
    key: data(key),
    siblings: siblings.map(data),
    leaf: leaf === undefined ? null : { tag: quantity(leaf.tag), key: data(leaf.key), value: data(leaf.value) },
  };
}
