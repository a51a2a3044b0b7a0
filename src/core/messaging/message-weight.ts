// What a message weighs of inbox shares, backlogs and rations (protocol, section 5, "Lanes").
import { MESSAGE_GAS } from '../protocol/gas.ts';
import type { Message } from '../protocol/message.ts';

/** Its inclusion, and the gas that it carries. */
export function weightOf(message: Message): number {
  return MESSAGE_GAS + message.gasLimit;
}
