// Exactly once within a block: wave 0 is the inbox as the body has it, then the senders' parts; each further wave is what the one before emitted to
// families of this shard, in the order of emission, and all that was emitted to others is the outbox, in that order too. Read from the result, with
// the ids of main calls computed anew.
import { sha256 } from '../../core/crypto/sha256.ts';
import type { BlockResult } from '../../core/execution/executed-block.ts';
import { placementOfFamily } from '../../core/messaging/placement.ts';
import { bytesToHex } from '../../core/primitives/bytes.ts';
import type { Bytes32, ChainId, Hex } from '../../core/primitives/ids.ts';
import type { Message } from '../../core/protocol/message.ts';
import { isUnder } from '../../core/protocol/shard-id.ts';
import type { Transaction } from '../../core/protocol/transaction.ts';
import { familyOf } from './family-replay.ts';

/** A block of a shard with what it came to. */
export interface ExecutedWaves {
  readonly shard: ChainId;
  readonly inbox: readonly Message[];
  readonly transactions: readonly Pick<Transaction, 'hash'>[];
  readonly result: Pick<BlockResult, 'messages' | 'outbox'>;
}

/** What of the file's head does not hold: one line each. */
export function brokenWaves({ shard, inbox, transactions, result }: ExecutedWaves): readonly string[] {
  const found: string[] = [];
  const isHere = (message: Message): boolean => isUnder(placementOfFamily(familyOf(message)), shard);
  for (const { message } of result.messages)
    if (!isHere(message)) found.push(`message ${bytesToHex(message.id)} is executed in shard ${shard}, and is of another`);
  for (const message of result.outbox)
    if (isHere(message)) found.push(`message ${bytesToHex(message.id)} leaves shard ${shard}, of which it is`);
  const waves = Map.groupBy(result.messages, ({ wave }) => wave);
  const idsOf = (wave: number): readonly Hex[] => (waves.get(wave) ?? []).map(({ message }) => bytesToHex(message.id));
  const taken = inbox.map(({ id }) => bytesToHex(id));
  if (idsOf(0).join() !== taken.join()) found.push(`wave 0 is ${idsOf(0).join()}, the inbox was ${taken.join()}`);
  const outbox = result.outbox.map(({ id }) => bytesToHex(id));
  let sent = 0;
  for (let wave = 0; wave <= waves.size + 1; wave++) {
    const emitted = (waves.get(wave) ?? []).flatMap((one) => one.emitted.map(bytesToHex));
    if (wave === 0) emitted.push(...transactions.map(({ hash }) => mainCallIdOf(hash)));
    const next = idsOf(wave + 1);
    let executed = 0;
    for (const id of emitted) {
      if (next[executed] === id) executed++;
      else if (outbox[sent] === id) sent++;
      else found.push(`message ${id}, emitted in wave ${wave}, neither comes in its turn nor leaves in it`);
    }
    if (executed < next.length) found.push(`wave ${wave + 1} has ${next.length} messages, and ${executed} of them were emitted`);
  }
  if (sent < outbox.length) found.push(`${outbox.length} messages leave, and ${sent} of them were emitted`);
  return found;
}

/** SHA-256(id of the emitting item ‖ uint32 index of emission), for the first emission of a transaction's sender part. */
function mainCallIdOf(transactionHash: Bytes32): Hex {
  return bytesToHex(sha256(transactionHash, new Uint8Array(4)));
}
