// The root of a beacon state, cheap when little changed: it is asked for by every proposal and every vote. The root of each field is kept beside
// the value, and in the long lists that of each element, so that a block pays for what it touched. That is sound because parts of a state are
// never written into (state.ts); two types never share a kept root, as each has a table of its own.
//
// Of 1,000 validators and 64 shards: see the figures in the test beside it (test/core/beacon/state-root.test.ts).
import { ByteVectorType, ContainerType, ListCompositeType, type Type } from '@chainsafe/ssz';
import type { Bytes32 } from '../primitives/ids.ts';
import { depthFor, merkleRoot, withLength } from './merkle.ts';
import { BeaconState } from './state.ts';

/** A field of the state. */
export type BeaconField = keyof BeaconState;

/** The fields in the order in which they stand in the container. */
export const BEACON_FIELDS: readonly BeaconField[] = BeaconState.fieldsEntries.map(({ fieldName }) => fieldName);

/** Depth of the tree over the fields. */
export const FIELD_DEPTH = depthFor(BEACON_FIELDS.length);

// A root stays as long as the value it is of.
const keptRoots = new Map<unknown, WeakMap<object, Bytes32>>();

/** See the file's head. */
export function stateRootOf(state: BeaconState): Bytes32 {
  return keptRootOf(BeaconState, state, () => merkleRoot(fieldRootsOf(state), FIELD_DEPTH));
}

/** The roots of all fields. */
export function fieldRootsOf(state: BeaconState): readonly Bytes32[] {
  return BEACON_FIELDS.map((field) => partRootOf(BeaconState.fields[field] as unknown as Type<unknown>, state[field]));
}

/** The roots of the elements of a list of containers or roots: its chunks. */
export function elementRootsOf(type: ListCompositeType<never>, list: readonly unknown[]): readonly Bytes32[] {
  const elementType = type.elementType as unknown as Type<unknown>;
  if (elementType instanceof ByteVectorType) return list as readonly Bytes32[];
  return list.map((element) => partRootOf(elementType, element));
}

function partRootOf(type: Type<unknown>, value: unknown): Bytes32 {
  if (typeof value !== 'object' || value === null) return type.hashTreeRoot(value);
  return keptRootOf(type, value, () => computedRootOf(type, value));
}

function computedRootOf(type: Type<unknown>, value: object): Bytes32 {
  if (type instanceof ListCompositeType && isOfParts(type.elementType)) {
    const list = value as readonly unknown[];
    return withLength(merkleRoot(elementRootsOf(type as unknown as ListCompositeType<never>, list), depthFor(type.limit)), list.length);
  }
  return type.hashTreeRoot(value);
}

function isOfParts(elementType: unknown): boolean {
  return elementType instanceof ContainerType || (elementType instanceof ByteVectorType && elementType.lengthBytes === 32);
}

function keptRootOf(type: unknown, value: object, compute: () => Bytes32): Bytes32 {
  const roots = keptRoots.get(type) ?? new WeakMap<object, Bytes32>();
  keptRoots.set(type, roots);
  const kept = roots.get(value);
  if (kept !== undefined) return kept;
  const root = compute();
  roots.set(value, root);
  return root;
}
