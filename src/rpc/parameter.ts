// Parameters of methods: each reader says in one place what it accepts and, for anything else, what was expected and what came.
//
// Values come from JSON of any depth. Readers look at the level they name and no deeper, and never print what they were given
// beyond PRINTED_MAX characters.
import { hexToBytes } from '../core/primitives/bytes.ts';
import type { Address, Bytes32, Hex } from '../core/primitives/ids.ts';
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';
import { invalidParams, type RpcError } from './errors.ts';

/** Turns a JSON value into what a method works with. The refusal's detail says what was expected. */
export type Read<T> = (value: unknown) => Verdict<T, 'invalid'>;

/** One parameter of a method. */
export interface Parameter<T> {
  readonly name: string;
  readonly isRequired: boolean;
  /** Given undefined when the parameter is absent, which only optional ones are. */
  readonly read: Read<T>;
}

/** The values that a list of parameters reads to. */
export type ValuesOf<P extends readonly Parameter<unknown>[]> = { readonly [K in keyof P]: P[K] extends Parameter<infer T> ? T : never };

const PRINTED_MAX = 48;
const DATA_BYTES_MAX = 2 ** 21;

/** A parameter that must be there. */
export function required<T>(name: string, read: Read<T>): Parameter<T> {
  return { name, isRequired: true, read };
}

/** A parameter that may be absent or null, and what stands for it then. */
export function optional<T>(name: string, read: Read<T>, absent: T): Parameter<T> {
  return { name, isRequired: false, read: (value) => (value === undefined || value === null ? accept(absent) : read(value)) };
}

/** Reads a request's parameters, by position only, as Ethereum clients give them. */
export function readParameters(parameters: readonly Parameter<unknown>[], given: unknown): readonly unknown[] | RpcError {
  const list = given === undefined || given === null ? [] : given;
  if (!Array.isArray(list)) return invalidParams('non-array args: parameters must be an array');
  if (list.length > parameters.length) return invalidParams(`too many arguments, want at most ${parameters.length}`);
  const values: unknown[] = [];
  for (const [index, parameter] of parameters.entries()) {
    const value: unknown = list[index];
    if (parameter.isRequired && (value === undefined || value === null))
      return invalidParams(`missing value for required argument ${index} (${parameter.name})`);
    const read = parameter.read(value);
    if (!read.ok) return invalidParams(`invalid argument ${index} (${parameter.name}): ${read.detail}`);
    values.push(read.value);
  }
  return values;
}

/** What a reader says of a value that it cannot take. */
export function expected(what: string, value: unknown): Verdict<never, 'invalid'> {
  return refuse('invalid', `expected ${what}, got ${describe(value)}`);
}

/** 20 bytes of hexadecimal, in any case: checksums are the wallets' affair. */
export const readAddress: Read<Address> = (value) => fixedBytes(value, 20, 'an address of 20 bytes');

/** 32 bytes of hexadecimal. */
export const readHash: Read<Bytes32> = (value) => fixedBytes(value, 32, 'a hash of 32 bytes');

/** A hash as a key of maps. */
export const readHashHex: Read<Hex> = (value) => {
  const bytes = readHash(value);
  return bytes.ok ? accept((value as string).slice(2).toLowerCase()) : bytes;
};

/** Any bytes. */
export const readData: Read<Uint8Array> = (value) => {
  const what = 'data in 0x-prefixed hexadecimal of even length';
  if (typeof value !== 'string' || !value.startsWith('0x') || value.length > 2 + 2 * DATA_BYTES_MAX) return expected(what, value);
  const bytes = hexToBytes(value);
  return bytes === undefined ? expected(what, value) : accept(bytes);
};

/** A number of up to 256 bits; leading zeros are let through, as many clients send them. */
export const readBigQuantity: Read<bigint> = (value) => {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{1,64}$/.test(value)) return expected('a quantity in 0x-prefixed hexadecimal', value);
  return accept(BigInt(value));
};

/** A number that fits a double exactly. */
export const readQuantity: Read<number> = (value) => {
  const big = readBigQuantity(value);
  if (!big.ok) return big;
  return big.value <= BigInt(Number.MAX_SAFE_INTEGER) ? accept(Number(big.value)) : expected('a quantity below 2^53', value);
};

/** A quantity, or a plain JSON number as some clients send where others send a quantity. */
export const readCount: Read<number> = (value) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? accept(value) : readQuantity(value);

/** True or false. */
export const readBoolean: Read<boolean> = (value) => (typeof value === 'boolean' ? accept(value) : expected('true or false', value));

/** A storage slot: up to 32 bytes of hexadecimal, of any length, filled up with zeros on the left. */
export const readSlot: Read<Bytes32> = (value) => {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{1,64}$/.test(value)) return expected('a storage slot of up to 32 bytes', value);
  return accept(hexToBytes(value.slice(2).padStart(64, '0')) as Bytes32);
};

/** A list of at most `lengthMax` of what `read` reads. */
export function readList<T>(read: Read<T>, lengthMax: number): Read<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value)) return expected('an array', value);
    if (value.length > lengthMax) return refuse('invalid', `at most ${lengthMax} elements, got ${value.length}`);
    const list: T[] = [];
    for (const [index, element] of value.entries()) {
      const one = read(element);
      if (!one.ok) return refuse('invalid', `element ${index}: ${one.detail}`);
      list.push(one.value);
    }
    return accept(list);
  };
}

/** Whether a JSON value is an object, neither null nor a list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads the named members of an object, all of them optional; the refusal names the one that is wrong. */
export function readMembers<M extends Readonly<Record<string, Read<unknown>>>>(
  object: Readonly<Record<string, unknown>>,
  members: M,
): Verdict<MembersOf<M>, 'invalid'> {
  const values: Record<string, unknown> = {};
  for (const [name, read] of Object.entries(members)) {
    const given = Object.hasOwn(object, name) ? object[name] : undefined;
    if (given === undefined || given === null) continue;
    const value = read(given);
    if (!value.ok) return refuse('invalid', `${name}: ${value.detail}`);
    values[name] = value.value;
  }
  return accept(values as MembersOf<M>);
}

/** What `readMembers` reads. */
export type MembersOf<M extends Readonly<Record<string, Read<unknown>>>> = {
  readonly [K in keyof M]: (M[K] extends Read<infer T> ? T : never) | undefined;
};

function fixedBytes(value: unknown, length: number, what: string): Verdict<Uint8Array, 'invalid'> {
  if (typeof value !== 'string' || !value.startsWith('0x') || value.length !== 2 + 2 * length)
    return expected(`${what} in 0x-prefixed hexadecimal`, value);
  const bytes = hexToBytes(value);
  return bytes === undefined ? expected(`${what} in 0x-prefixed hexadecimal`, value) : accept(bytes);
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, PRINTED_MAX + 1)) : String(value);
  return text.length > PRINTED_MAX ? `${text.slice(0, PRINTED_MAX)}…` : text;
}
