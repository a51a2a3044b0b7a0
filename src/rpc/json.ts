// The forms that Ethereum's JSON-RPC gives to values (execution-apis, "base types"): quantities are 0x-hexadecimal without leading
// zeros, data is 0x-hexadecimal of even length.
import { bytesToPrefixedHex } from '../core/primitives/bytes.ts';

/** What a method may answer. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/** An object being put together. */
export type JsonObject = { readonly [name: string]: JsonValue };

/** A number as a quantity. */
export function quantity(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** Bytes as data. */
export const data: (bytes: Uint8Array) => string = bytesToPrefixedHex;

/** Bytes as data, null for absent ones. */
export function dataOrNull(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : bytesToPrefixedHex(bytes);
}
