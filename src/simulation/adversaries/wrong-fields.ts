// Every way to get one field of an SSZ value wrong, found by walking its type: a field that is added later appears here by itself, and
// a test that names what refuses each of them fails until the new one is covered.
import {
  type BitArray,
  BitListType,
  ByteListType,
  ByteVectorType,
  ContainerType,
  ListBasicType,
  ListCompositeType,
  type Type,
  UintBigintType,
  UintNumberType,
  VectorCompositeType,
} from '@chainsafe/ssz';

/** A value that differs from the right one in one leaf. `path` is stable: `justify.0.point.round`, `cursors+` (one more), `justify-` (one less). */
export interface Mutation<T> {
  readonly path: string;
  readonly value: T;
}

/** One mutation of each leaf; of a vector its first and last element stand for all. */
export function mutationsOf<T>(type: Type<T>, value: T): readonly Mutation<T>[] {
  return [...walk(type as Type<unknown>, value, '')] as readonly Mutation<T>[];
}

function* walk(type: Type<unknown>, value: unknown, path: string): Generator<Mutation<unknown>> {
  if (type instanceof ContainerType) yield* walkContainer(type, value as Record<string, unknown>, path);
  else if (type instanceof VectorCompositeType) yield* walkVector(type.elementType as Type<unknown>, type.length, value as unknown[], path);
  else if (type instanceof ListCompositeType) yield* walkList(type.elementType as Type<unknown>, type.limit, value as unknown[], path);
  else if (type instanceof ListBasicType) yield* walkList(type.elementType as Type<unknown>, type.limit, value as unknown[], path);
  else if (type instanceof BitListType) yield* walkBits(value as BitArray, path);
  else yield { path, value: wrongLeaf(type, value, path) };
}

function wrongLeaf(type: Type<unknown>, value: unknown, path: string): unknown {
  if (type instanceof UintNumberType) return (value as number) + 1;
  if (type instanceof UintBigintType) return (value as bigint) + 1n;
  if (type instanceof ByteVectorType || type instanceof ByteListType) return flipped(value as Uint8Array);
  throw new Error(`no mutation is known for ${type.typeName} at ${path}: add one`);
}

function* walkContainer(
  type: ContainerType<Record<string, Type<unknown>>>,
  value: Record<string, unknown>,
  path: string,
): Generator<Mutation<unknown>> {
  for (const [name, fieldType] of Object.entries(type.fields)) {
    for (const inner of walk(fieldType, value[name], joined(path, name)))
      yield { path: inner.path, value: { ...value, [name]: inner.value } };
  }
}

function* walkVector(elementType: Type<unknown>, length: number, value: unknown[], path: string): Generator<Mutation<unknown>> {
  for (const index of new Set([0, length - 1])) yield* walkElement(elementType, value, index, path);
}

function* walkList(elementType: Type<unknown>, limit: number, value: unknown[], path: string): Generator<Mutation<unknown>> {
  if (value.length < limit) yield { path: `${path}+`, value: [...value, elementType.defaultValue()] };
  if (value.length === 0) return;
  yield { path: `${path}-`, value: value.slice(1) };
  yield* walkElement(elementType, value, 0, path);
}

function* walkElement(elementType: Type<unknown>, value: unknown[], index: number, path: string): Generator<Mutation<unknown>> {
  for (const inner of walk(elementType, value[index], joined(path, String(index)))) {
    yield { path: inner.path, value: value.map((element, place) => (place === index ? inner.value : element)) };
  }
}

function* walkBits(bits: BitArray, path: string): Generator<Mutation<unknown>> {
  const flippedBits = bits.clone();
  flippedBits.set(0, !bits.get(0));
  yield { path, value: flippedBits };
  const Bits = bits.constructor as typeof BitArray;
  const longer = Bits.fromBitLen(bits.bitLen + 1);
  for (const index of bits.getTrueBitIndexes()) longer.set(index, true);
  yield { path: `${path}+`, value: longer };
}

function flipped(bytes: Uint8Array): Uint8Array {
  const wrong = Uint8Array.from(bytes); // `slice` of a Buffer, which is what a socket gives, would share its memory.
  const last = wrong.length - 1;
  wrong[last] = (wrong[last] ?? 0) ^ 1;
  return wrong;
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
