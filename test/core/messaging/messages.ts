// Messages and bundles of tests.
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { placementOfFamily } from '../../../src/core/messaging/placement.ts';
import { uint64ToBytes } from '../../../src/core/primitives/bytes.ts';
import type { Message } from '../../../src/core/protocol/message.ts';
import { isUnder } from '../../../src/core/protocol/shard-id.ts';

/** The n-th of the families that tests send to. */
export function familyOf(n: number): Uint8Array {
  return sha256(uint64ToBytes(n)).slice(0, 20);
}

/** The first so many families that are in the shard. */
export function familiesIn(shard: number, count: number): Uint8Array[] {
  const families: Uint8Array[] = [];
  for (let n = 0; families.length < count; n++) {
    const family = familyOf(n);
    if (isUnder(placementOfFamily(family), shard)) families.push(family);
  }
  return families;
}

/** A value sent to a family; `salt` tells it from others. */
export function messageTo(family: Uint8Array, salt: number, change: Partial<Message> = {}): Message {
  const sender = sha256(uint64ToBytes(salt)).slice(12);
  return {
    kind: 'value-send',
    id: sha256(uint64ToBytes(salt), family),
    originTransactionHash: sha256(sender),
    emitterId: sha256(sender),
    sender,
    senderFamily: sender,
    originAddress: sender,
    originFamily: sender,
    target: family,
    targetFamily: family,
    valueWei: BigInt(salt),
    data: new Uint8Array(0),
    gasLimit: 1_000,
    reservedGas: 30_000,
    gasPriceWei: 2_000_000_000n,
    baseFeePerGasWei: 1_000_000_000n,
    travellingTipWei: 0n,
    creationNonce: 0n,
    accessList: [],
    hop: 1,
    pointerFamily: undefined,
    replySelector: new Uint8Array(4),
    ...change,
  };
}
