// What the messages of a block owe each other, read from results alone and written a second time: a failed message comes back to its sender
// with its value, a call that succeeded is answered where that was wanted and no other, and whatever an item sent it has paid for. Execution's
// own code is not asked: what it does wrong in one place it would do wrong in every replay.
import { MESSENGER_HEX } from '../../core/execution/system-addresses.ts';
import { bytesEqual, bytesToHex } from '../../core/primitives/bytes.ts';
import type { Hex } from '../../core/primitives/ids.ts';
import { BOUNCE_GAS, MESSAGE_BYTE_GAS, MESSAGE_GAS } from '../../core/protocol/gas.ts';
import type { Message, MessageResult } from '../../core/protocol/message.ts';
import type { Property } from './violation.ts';

/** One rule that does not hold. */
export interface BrokenRule {
  readonly property: Property;
  readonly detail: string;
}

/** See the file's head. The messages of a whole block, and what it sent to other shards: whatever one emitted is among them. */
export function brokenMessageRules(results: readonly MessageResult[], outbox: readonly Message[] = []): readonly BrokenRule[] {
  const byId = new Map<Hex, Message>();
  for (const message of [...results.map((one) => one.message), ...outbox])
    if (!byId.has(bytesToHex(message.id))) byId.set(bytesToHex(message.id), message);
  const found: BrokenRule[] = [];
  for (const result of results) {
    if (result.outcome === 'forwarded') continue;
    const emitted = result.emitted.flatMap((id) => byId.get(bytesToHex(id)) ?? []);
    const report = (property: Property, what: string): void => {
      found.push({ property, detail: `${result.message.kind} ${bytesToHex(result.message.id)}, ${result.outcome}: ${what}` });
    };
    checkBounce(result, emitted, report);
    checkReply(result, emitted, report);
    checkGas(result, emitted, report);
  }
  return found;
}

type ReportRule = (property: Property, what: string) => void;

function checkBounce({ message, outcome }: MessageResult, emitted: readonly Message[], report: ReportRule): void {
  const bounces = emitted.filter(({ kind }) => kind === 'bounce');
  const isFinal = message.kind === 'bounce' || message.kind === 'reply';
  const hasHook = message.kind === 'call' || message.kind === 'value-send';
  const isOwed = outcome !== 'success' && !isFinal && (hasHook || message.valueWei > 0n);
  if (message.kind === 'bounce' && outcome !== 'success') report('conservation', 'a bounce did not credit');
  if (bounces.length !== (isOwed ? 1 : 0)) report('conservation', `${bounces.length} bounces`);
  if (outcome !== 'success' && emitted.length !== bounces.length) report('validity', 'it sent more than what comes back');
  for (const bounce of bounces) {
    const isToSender = bytesEqual(bounce.target ?? bounce.id, message.sender) && bytesEqual(bounce.targetFamily, message.senderFamily);
    if (!isToSender) report('conservation', `its bounce goes to ${bytesToHex(bounce.target ?? bounce.id)}`);
    if (bounce.valueWei !== message.valueWei) report('conservation', `its bounce carries ${bounce.valueWei} of ${message.valueWei}`);
    if (bounce.gasLimit !== (hasHook ? BOUNCE_GAS : 0)) report('validity', `its bounce carries ${bounce.gasLimit} gas`);
  }
}

function checkReply({ message, outcome }: MessageResult, emitted: readonly Message[], report: ReportRule): void {
  const replies = emitted.filter(({ kind }) => kind === 'reply');
  const isWanted = message.kind === 'call' && message.replySelector.some((byte) => byte !== 0);
  if (replies.length !== (isWanted && outcome === 'success' ? 1 : 0)) report('validity', `${replies.length} replies`);
  for (const reply of replies) {
    const isToSender = bytesEqual(reply.target ?? reply.id, message.sender) && bytesEqual(reply.targetFamily, message.senderFamily);
    if (!isToSender || bytesToHex(reply.sender) !== MESSENGER_HEX) report('validity', 'its reply is not from the messenger to the sender');
    if (reply.valueWei !== 0n || reply.gasLimit !== message.reservedGas) report('validity', 'its reply has not the gas that was reserved');
  }
}

// Gas never grows along a chain of messages: what an item's code sent was taken from the gas that the item came with.
function checkGas({ message, outcome, executionGasUsed }: MessageResult, emitted: readonly Message[], report: ReportRule): void {
  if (executionGasUsed > message.gasLimit) report('validity', `it used ${executionGasUsed} of ${message.gasLimit} gas`);
  if (outcome !== 'success') return;
  let sentGas = 0;
  for (const { kind, gasLimit, reservedGas, data } of emitted) {
    if (kind !== 'call' && kind !== 'value-send') continue;
    sentGas += 3 * MESSAGE_GAS + gasLimit + reservedGas + (kind === 'call' ? MESSAGE_BYTE_GAS * data.length : 0);
  }
  if (sentGas > executionGasUsed) report('validity', `it used ${executionGasUsed} gas, and what it sent carries ${sentGas}`);
}
