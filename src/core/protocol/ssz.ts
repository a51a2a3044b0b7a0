// SSZ: the basic types that the containers share, and the one way to decode foreign bytes. SSZ (ethereum/consensus-specs,
// ssz/simple-serialize.md) has one encoding for each value; decoders of libraries accept a few more, so every foreign encoding is
// re-encoded and compared (protocol, section 2: "Decoders reject anything that is not the one canonical encoding").
import {
  ByteListType,
  ByteVectorType,
  type ByteViews,
  ContainerType,
  type Type,
  UintBigintType,
  UintNumberType,
  VectorCompositeType,
} from '@chainsafe/ssz';
import { bytesEqual } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';

const CHUNK_BYTES = 32;

// A number's root is the number, padded. The library makes two views of each to write it.
class PlainUintType extends UintNumberType {
  override hashTreeRootInto(value: number, output: Uint8Array, offset: number): void {
    output.fill(0, offset, offset + CHUNK_BYTES);
    let rest = value;
    for (let at = offset; at < offset + this.byteLength; at++) {
      output[at] = rest % 256;
      rest = Math.floor(rest / 256);
    }
  }
}

// The root of 32 bytes is themselves.
class RootType extends ByteVectorType {
  constructor() {
    super(CHUNK_BYTES);
  }

  override hashTreeRootInto(value: Uint8Array, output: Uint8Array, offset: number): void {
    if (value.length !== CHUNK_BYTES) throw new RangeError(`a root of ${value.length} bytes`);
    output.set(value, offset);
  }
}

// Of the numbers above 2^53 a double holds some, and these survive re-encoding: so decoding itself must refuse them.
class SafeUint64Type extends PlainUintType {
  override value_deserializeFromBytes(data: ByteViews, start: number, end: number): number {
    const value = super.value_deserializeFromBytes(data, start, end);
    if (!Number.isSafeInteger(value)) throw new RangeError(`a uint64 above ${Number.MAX_SAFE_INTEGER}`);
    return value;
  }
}

export const Uint8: UintNumberType = new PlainUintType(1);
export const Uint16: UintNumberType = new PlainUintType(2);
export const Uint32: UintNumberType = new PlainUintType(4);
/** A uint64 that stays below 2^53: heights, rounds, epochs, milliseconds, gas. */
export const Uint64: UintNumberType = new SafeUint64Type(8);
/** A full uint64 as bigint: nonces. */
export const Uint64Bigint = new UintBigintType(8);
export const Uint256 = new UintBigintType(32);
export const Bytes4 = new ByteVectorType(4);
export const Bytes20 = new ByteVectorType(20);
export const Bytes32Type: ByteVectorType = new RootType();
export const Bytes48 = new ByteVectorType(48);
export const Bytes80 = new ByteVectorType(80);
export const Bytes96 = new ByteVectorType(96);
export const Bytes256 = new ByteVectorType(256);

/** A list of bytes of at most `bytesMax`. */
export function byteList(bytesMax: number): ByteListType {
  return new ByteListType(bytesMax);
}

/** Decodes foreign bytes, and accepts them only if they are the canonical encoding of what they decode to. */
export function decodeCanonical<T>(type: Type<T>, data: Uint8Array): Verdict<T, 'malformed' | 'not-canonical'> {
  let value: T;
  let again: Uint8Array;
  try {
    value = type.deserialize(data);
    if (hasOneForm(type as Type<unknown>)) return accept(value);
    again = type.serialize(value);
  } catch (error) {
    return refuse('malformed', error instanceof Error ? error.message : String(error));
  }
  return bytesEqual(again, data) ? accept(value) : refuse('not-canonical', `${data.length} bytes re-encode to ${again.length} others`);
}

const oneForm = new WeakMap<Type<unknown>, boolean>();

// True where all bytes count and none of them says where others are: what decodes has no other encoding. Votes are such.
function hasOneForm(type: Type<unknown>): boolean {
  const known = oneForm.get(type);
  if (known !== undefined) return known;
  const has = isOneForm(type);
  oneForm.set(type, has);
  return has;
}

function isOneForm(type: Type<unknown>): boolean {
  if (type instanceof PlainUintType || type instanceof UintBigintType || type instanceof ByteVectorType) return true;
  if (type instanceof VectorCompositeType) return hasOneForm(type.elementType as Type<unknown>);
  return type instanceof ContainerType && type.fieldsEntries.every(({ fieldType }) => hasOneForm(fieldType as Type<unknown>));
}

/** The value of bytes that this node has written itself: that they do not decode is a broken promise. */
export function storedValue<T>(type: Type<T>, data: Uint8Array): T {
  const decoded = decodeCanonical(type, data);
  invariant(decoded.ok, 'a stored value decodes');
  return decoded.value;
}
