// The one encoding of a message (protocol, section 5): what its hash in a bundle's index is of, and what a body carries of other shards.
// All of the message is in it, because executing it may depend on nothing else. Optional fields are lists of at most one element.
import { ContainerType, ListCompositeType } from '@chainsafe/ssz';
import type { Address, Bytes32 } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { HOPS_MAX } from './gas.ts';
import { ACCESS_LIST_ENTRIES_MAX, ACCESS_LIST_KEYS_MAX, MESSAGE_DATA_BYTES_MAX } from './limits.ts';
import type { Message, MessageKind } from './message.ts';
import { Bytes4, Bytes20, Bytes32Type, byteList, decodeCanonical, Uint8, Uint64, Uint64Bigint, Uint256 } from './ssz.ts';

/** The number of each kind. Never used again for another. */
const KIND_NUMBERS: Readonly<Record<MessageKind, number>> = {
  'main-call': 1,
  'value-send': 2,
  credit: 3,
  bounce: 4,
  pointer: 5,
  sweep: 6,
  call: 7,
  reply: 8,
};

const KINDS: ReadonlyMap<number, MessageKind> = new Map(
  Object.entries(KIND_NUMBERS).map(([kind, kindNumber]) => [kindNumber, kind as MessageKind]),
);

const OptionalAddress = new ListCompositeType(Bytes20, 1);

const AccessListEntry = new ContainerType(
  { address: Bytes20, storageKeys: new ListCompositeType(Bytes32Type, ACCESS_LIST_KEYS_MAX) },
  { typeName: 'AccessListEntry', jsonCase: 'eth2' },
);

/** See the file's head; the fields are told in message.ts. */
export const EncodedMessage = new ContainerType(
  {
    kind: Uint8,
    id: Bytes32Type,
    originTransactionHash: Bytes32Type,
    emitterId: Bytes32Type,
    sender: Bytes20,
    senderFamily: Bytes20,
    originAddress: Bytes20,
    originFamily: Bytes20,
    target: OptionalAddress,
    targetFamily: Bytes20,
    valueWei: Uint256,
    data: byteList(MESSAGE_DATA_BYTES_MAX),
    gasLimit: Uint64,
    reservedGas: Uint64,
    gasPriceWei: Uint256,
    baseFeePerGasWei: Uint256,
    travellingTipWei: Uint256,
    creationNonce: Uint64Bigint,
    accessList: new ListCompositeType(AccessListEntry, ACCESS_LIST_ENTRIES_MAX),
    hop: Uint8,
    pointerFamily: OptionalAddress,
    /** Of a call that wants a reply, the function's selector; zeros are none. */
    replySelector: Bytes4,
  },
  { typeName: 'EncodedMessage', jsonCase: 'eth2' },
);

const HASH_BYTES = 32;
/** Behind `kind` and `id`. */
const ORIGIN_AT = 1 + HASH_BYTES;

/** Why bytes are no message. */
export type MessageFault = 'malformed' | 'not-canonical' | 'unknown-kind' | 'too-many-hops';

/** The canonical encoding. */
export function encodeMessage(message: Message): Uint8Array {
  return EncodedMessage.serialize({
    ...message,
    kind: KIND_NUMBERS[message.kind],
    target: listOf(message.target),
    accessList: message.accessList.map(({ address, storageKeys }) => ({ address, storageKeys: [...storageKeys] })),
    pointerFamily: listOf(message.pointerFamily),
  });
}

/** The message whose canonical encoding the bytes are. */
export function decodeMessage(bytes: Uint8Array): Verdict<Message, MessageFault> {
  const decoded = decodeCanonical(EncodedMessage, bytes);
  if (!decoded.ok) return decoded;
  const { kind: kindNumber, target, pointerFamily, ...same } = decoded.value;
  const kind = KINDS.get(kindNumber);
  if (kind === undefined) return refuse('unknown-kind', `kind ${kindNumber}`);
  if (same.hop > HOPS_MAX) return refuse('too-many-hops', `hop ${same.hop}`);
  return accept({ ...same, kind, target: target[0], pointerFamily: pointerFamily[0] });
}

/** `originTransactionHash` of a canonical encoding, read in place: of many messages those of one transaction are looked for. Never write to it. */
export function originOfEncoded(encoded: Uint8Array): Bytes32 {
  return encoded.subarray(ORIGIN_AT, ORIGIN_AT + HASH_BYTES);
}

function listOf(address: Address | undefined): Address[] {
  return address === undefined ? [] : [address];
}
