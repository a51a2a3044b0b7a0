// A CALL to the messenger: reads what code wants sent, takes the charge, debits the value and emits the message (protocol, section 5). It is no
// contract: it has no frame, and what it refuses comes back as a failed call with a typed error. Its charge is the caller's frame's to pay,
// before anything is looked at, and is kept if the call fails, as SEND_GAS is.
import { messageIdOf } from '../../messaging/message-id.ts';
import {
  decodeSend,
  MALFORMED_SEND_ERROR,
  messengerCharge,
  reservedGasOf,
  type SendRequest,
  TOO_MANY_HOPS_ERROR,
  unreachableTargetError,
} from '../../messaging/messenger-interface.ts';
import { bytesToHex } from '../../primitives/bytes.ts';
import type { Wei } from '../../primitives/ids.ts';
import { HOPS_MAX } from '../../protocol/gas.ts';
import type { CallKind } from '../family-rules.ts';
import { MESSENGER_HEX } from '../system-addresses.ts';
import type { Frame } from './frame.ts';
import type { Machine } from './machine.ts';

/** What the caller gets: the message's id, or an error. */
export interface MessengerAnswer {
  readonly success: boolean;
  readonly output: Uint8Array;
}

/** Reads the call data of a CALL to the messenger and takes the charge; undefined, and free, where it is no `send` or the call no CALL. */
export function payForSend(frame: Frame, kind: CallKind, inputOffset: number, inputLength: number): SendRequest | undefined {
  if (kind !== 'call' || frame.start.isStatic) return undefined;
  const request = decodeSend(frame.memory.view(inputOffset, inputLength));
  if (!request.ok) return undefined;
  frame.useGas(messengerCharge(request.value));
  return request.value;
}

/** Emits the message. Its value is the caller's to give: that was looked at before. */
export function sendByMessenger(machine: Machine, frame: Frame, request: SendRequest | undefined, valueWei: Wei): MessengerAnswer {
  const { state, message, rules } = machine;
  if (request === undefined) return { success: false, output: MALFORMED_SEND_ERROR };
  const { to, gas, replySelector, data } = request;
  const toHex = bytesToHex(to);
  if (rules.precompiles.has(toHex) || toHex === MESSENGER_HEX) return { success: false, output: unreachableTargetError(to) };
  if (message.hop >= HOPS_MAX) return { success: false, output: TOO_MANY_HOPS_ERROR };
  const id = messageIdOf(message.id, state.outbox.length);
  state.addBalance(frame.self, -valueWei);
  state.emit({
    kind: 'call',
    from: frame.self.address,
    to,
    isInSenderFamily: toHex === state.family.familyHex || state.overlay.hasLeaf(state.family, to, toHex),
    valueWei,
    data,
    gasLimit: Number(gas),
    reservedGas: reservedGasOf(request),
    replySelector,
  });
  return { success: true, output: id };
}
