// Small contracts that simulated clients deploy and call, assembled by hand: state and logs within a family, value and calls that cross
// to other families, creations, failures. Each takes an address in the first word of its call data, where it needs one.
import { concatBytes, hex } from '../core/primitives/bytes.ts';

/**
 * Sends the value that came with the call to the address, by the messenger: with five bytes of data, 40,000 gas, and 45,000 for a reply. What
 * the messenger itself calls, which is a reply or the bounce hook, runs what stands behind this.
 */
const SENDING =
  '3362c000011460585763517ed76560e01b600052600035600452619c4060245263cafebabe60e01b604452' +
  '61afc860645260a0608452600560a45264010203040560d81b60c4526000600060e460003462c000015af150005b';

/** Runtime code by name. */
export const CONTRACTS = {
  /** Counts its calls in slot 0, and logs the count as topic and data. */
  counter: hex('600054600101806000558060005260206000a100'),
  /** Sends the value that came with the call to the address: a message, if that is of another family. */
  sender: hex('6000808080346000355af15000'),
  /** Calls the address with four bytes of data, and writes to slot 1 whether it succeeded: towards another family it never does. */
  caller: hex('600060006004600060006000355af160015500'),
  /** Creates an empty contract in each call: a pointer goes to its natural place. */
  creator: hex('600060006000f05000'),
  /** Gives all that it has to the address. */
  giver: hex('600035ff'),
  /** Sends by the messenger, and counts replies and bounces in slot 0. */
  asker: hex(`${SENDING}60005460010160005500`),
  /** The same, but whatever comes back fails. */
  deaf: hex(`${SENDING}fe`),
  /** Always reverts: value that is sent to it bounces. */
  refuser: hex('60006000fd'),
} as const;

/** All names. */
export const CONTRACT_NAMES = Object.keys(CONTRACTS) as readonly (keyof typeof CONTRACTS)[];

/** Code that deploys: copies what follows it to memory and returns it. */
export function deploying(runtime: Uint8Array): Uint8Array {
  const { length } = runtime;
  return concatBytes(Uint8Array.of(0x60, length, 0x60, 0x0c, 0x60, 0, 0x39, 0x60, length, 0x60, 0, 0xf3), runtime);
}
