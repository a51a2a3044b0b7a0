// SSZ: the basic types that the containers share, and the one way to decode foreign bytes. SSZ (ethereum/consensus-specs,
// ssz/simple-serialize.md) has one encoding for each value; decoders of libraries accept a few more, so every foreign encoding is
// re-encoded and compared (protocol, section 2: "Decoders reject anything that is not the one canonical encoding").
import { ByteListType, ByteVectorType, type ByteViews, type Type, UintBigintType, UintNumberType } from '@chainsafe/ssz';
import { bytesEqual } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';

// Of the numbers above 2^53 a double holds some, and these survive re-encoding: so decoding itself must refuse them.
class SafeUint64Type extends UintNumberType {
  override value_deserializeFromBytes(data: ByteViews, start: number, end: number): number {
    const value = super.value_deserializeFromBytes(data, start, end);
    if (!Number.isSafeInteger(value)) throw new RangeError(`a uint64 above ${Number.MAX_SAFE_INTEGER}`);
    return value;
  }
}

export const Uint8 = new UintNumberType(1);
export const Uint16 = new UintNumberType(2);
export const Uint32 = new UintNumberType(4);
/** A uint64 that stays below 2^53: heights, rounds, epochs, milliseconds, gas. */
export const Uint64: UintNumberType = new SafeUint64Type(8);
/** A full uint64 as bigint: nonces. */
export const Uint64Bigint = new UintBigintType(8);
export const Uint256 = new UintBigintType(32);
export const Bytes4 = new ByteVectorType(4);
export const Bytes20 = new ByteVectorType(20);
export const Bytes32Type = new ByteVectorType(32);
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
    again = type.serialize(value);
  } catch (error) {
    return refuse('malformed', error instanceof Error ? error.message : String(error));
  }
  return bytesEqual(again, data) ? accept(value) : refuse('not-canonical', `${data.length} bytes re-encode to ${again.length} others`);
}

/** The value of bytes that this node has written itself: that they do not decode is a broken promise. */
export function storedValue<T>(type: Type<T>, data: Uint8Array): T {
  const decoded = decodeCanonical(type, data);
  invariant(decoded.ok, 'a stored value decodes');
  return decoded.value;
}
