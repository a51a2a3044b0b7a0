// Gas of what Coppice adds to Ethereum (parameters: "gas and limits", the same on every network), and Ethereum's intrinsic gas.

/** Each inclusion of a message: delivery, forward, bounce, reply. */
export const MESSAGE_GAS = 2_000;
/** Of a transaction's 21,000: what the sender part costs; the other 3 × MESSAGE_GAS are natural place, one forward, bounce. */
const SENDER_PART_GAS = 15_000;
/** Prepaid for the code of a recipient of a plain value send. */
export const RECEIVE_GAS = 30_000;
/** Prepaid for `onCoppiceBounce`. */
export const BOUNCE_GAS = 30_000;
/** A value CALL to a foreign account, in the place of Ethereum's new-account charge: 3 inclusions, the recipient's code, a bounce hook. */
export const SEND_GAS = 3 * MESSAGE_GAS + RECEIVE_GAS + BOUNCE_GAS;
/** On top of CREATE's 32,000, during execution: a pointer leaf for ever, its message, and the sweep. */
export const POINTER_GAS = 2 * MESSAGE_GAS + 20_000;
/** Of an explicit message (messenger): each byte of its data. */
export const MESSAGE_BYTE_GAS = 16;
/** What a reply carries of the callee's return data; the rest is cut off. */
export const REPLY_RESULT_BYTES_MAX = 1024;
/** SELFDESTRUCT to a foreign account credits only. */
export const SELFDESTRUCT_FOREIGN_GAS = 25_000;
/** Emission at this hop reverts; a forward at it bounces. */
export const HOPS_MAX = 64;
/** EIP-170. */
export const CODE_BYTES_MAX = 24_576;
/** EIP-3860. */
export const INITCODE_BYTES_MAX = 49_152;
/** The least gas of any transaction (Ethereum yellow paper, G_transaction). */
export const TRANSACTION_GAS = SENDER_PART_GAS + 3 * MESSAGE_GAS;
