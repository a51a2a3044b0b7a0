// Every error that a JSON-RPC client can be given, with geth's codes and messages, because wallets and libraries decide by them
// (viem and ethers match on the text). An error is a value that a method returns; nothing is thrown for what a user did.
import { bytesToPrefixedHex } from '../core/primitives/bytes.ts';
import { haltText } from './halt-text.ts';
import type { EstimateOutcome, SubmitRefusal } from './ports.ts';

declare module '../core/primitives/errors.ts' {
  interface ErrorFacts {
    /** What was asked for takes all shards, and this node follows its own. */
    'rpc/shards-not-followed': Readonly<Record<string, never>>;
  }
}

/** The answer to a request that cannot be served. */
export class RpcError {
  readonly code: number;
  readonly message: string;
  /** What some errors carry beside the text: return data of a revert, the hash of a transaction that is still under way. */
  readonly data: string | undefined;

  constructor(code: number, message: string, data?: string) {
    this.code = code;
    this.message = message;
    this.data = data;
  }
}

/** JSON-RPC 2.0, section 5.1, and EIP-1474. */
const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;
const SERVER_ERROR = -32000;
/** EIP-1474: what is asked for exists, and not here. */
const RESOURCE_UNAVAILABLE = -32002;
const LIMIT_EXCEEDED = -32005;
/** geth: an execution that reverted. */
const EXECUTION_REVERTED = 3;
/** EIP-7966. */
const SYNC_TIMEOUT = 4;

/** `Error(string)`, which Solidity's `require` reverts with. */
const ERROR_SELECTOR = '08c379a0';
/** `Panic(uint256)`, the compiler's own checks. */
const PANIC_SELECTOR = '4e487b71';
const REASON_BYTES_MAX = 1024;

/** The body is no JSON, or nests too deep to be read as such. */
export function parseError(): RpcError {
  return new RpcError(PARSE_ERROR, 'parse error: the body is not JSON, or nests too deep');
}

/** JSON, but no request. */
export function invalidRequest(problem: string): RpcError {
  return new RpcError(INVALID_REQUEST, `invalid request: ${problem}`);
}

/** No such method here. */
export function methodNotFound(name: string): RpcError {
  return new RpcError(METHOD_NOT_FOUND, `the method ${name.slice(0, 64)} does not exist/is not available`);
}

/** A method that a client may expect, and why it is not here. */
export function methodRefused(name: string, why: string): RpcError {
  return new RpcError(METHOD_NOT_FOUND, `the method ${name} is not available: ${why}`);
}

/** A subscription over plain HTTP. */
export function notificationsUnsupported(): RpcError {
  return new RpcError(METHOD_NOT_FOUND, 'notifications not supported: subscribe over WebSocket');
}

/** A parameter that is missing, too many, of the wrong type or out of range. */
export function invalidParams(problem: string): RpcError {
  return new RpcError(INVALID_PARAMS, problem);
}

/** Our fault: details are in the log. */
export function internalError(): RpcError {
  return new RpcError(INTERNAL_ERROR, 'internal error');
}

/** The request asks for more than this node gives at once. */
export function limitExceeded(problem: string): RpcError {
  return new RpcError(LIMIT_EXCEEDED, problem);
}

/** Filters and subscriptions keep no more addresses and topics. */
export function tooManyCriteria(): RpcError {
  return limitExceeded('filters and subscriptions have too many addresses and topics, all clients together: ask for fewer, or later');
}

/** The node does not follow all shards, which the view and the state of the world take. */
export function shardsNotFollowed(): RpcError {
  return new RpcError(
    RESOURCE_UNAVAILABLE,
    "this node follows its validator's shards only and cannot answer that: ask an RPC node, one that follows all; transactions can be sent here",
  );
}

/** A block that is not there. */
export function headerNotFound(): RpcError {
  return new RpcError(SERVER_ERROR, 'header not found');
}

/** A fee history that would end above the newest block. */
export function beyondHead(requested: number, head: number): RpcError {
  return new RpcError(SERVER_ERROR, `request beyond head block: requested ${requested}, head ${head}`);
}

/** A block that is not there, asked for by its hash in `eth_getLogs`. */
export function unknownBlock(): RpcError {
  return new RpcError(SERVER_ERROR, 'unknown block');
}

/** A state version that was pruned. */
export function stateUnavailable(blockNumber: number): RpcError {
  return new RpcError(SERVER_ERROR, `historical state of block ${blockNumber} is not available: it was pruned`);
}

/** A block of a database that was begun before the sums of fees were kept. */
export function supplyUnavailable(blockNumber: number): RpcError {
  return new RpcError(SERVER_ERROR, `the supply after block ${blockNumber} is not recorded in this node's database`);
}

/** A block override that only `eth_simulateV1` takes. */
export function blockOverrideUnsupported(name: string): RpcError {
  return new RpcError(SERVER_ERROR, `block override "${name}" is not supported for this RPC method`);
}

/** A filter that never was, was removed, or expired. */
export function filterNotFound(): RpcError {
  return new RpcError(SERVER_ERROR, 'filter not found');
}

/** A subscription that this connection does not have. */
export function subscriptionNotFound(): RpcError {
  return new RpcError(SERVER_ERROR, 'subscription not found');
}

/** A simulated or estimated call that did not succeed. */
export function callFailure(from: Uint8Array, outcome: Exclude<EstimateOutcome, { readonly kind: 'success' }>): RpcError {
  switch (outcome.kind) {
    case 'revert':
      return executionReverted(outcome.returnData);
    case 'halt':
      return new RpcError(SERVER_ERROR, haltText(outcome.halt));
    case 'gas-above-allowance':
      return new RpcError(SERVER_ERROR, `gas required exceeds allowance (${outcome.gasAllowance})`);
    case 'failure':
      return new RpcError(SERVER_ERROR, outcome.error);
    case 'insufficient-funds':
      return new RpcError(
        SERVER_ERROR,
        `insufficient funds for gas * price + value: address ${bytesToPrefixedHex(from)} have ${outcome.haveWei} want ${outcome.wantWei}`,
      );
  }
}

/** `eth_sendRawTransactionSync` gave up waiting; the transaction itself goes on. */
export function syncTimeout(transactionHash: Uint8Array, timeoutMs: number): RpcError {
  return new RpcError(
    SYNC_TIMEOUT,
    `the transaction was added to the transaction pool but was not finalised within ${timeoutMs} ms`,
    bytesToPrefixedHex(transactionHash),
  );
}

/** geth's words for each refusal of the mempool. The facts follow after a colon. */
const SUBMIT_MESSAGES: Readonly<Record<SubmitRefusal, string>> = {
  malformed: 'rlp: malformed transaction',
  'too-large': 'oversized data',
  'unsupported-type': 'transaction type not supported',
  'not-replay-protected': 'only replay-protected (EIP-155) transactions allowed over RPC',
  'wrong-chain-id': 'invalid chain id for signer',
  'invalid-signature': 'invalid sender',
  'nonce-too-low': 'nonce too low',
  'nonce-too-high': 'nonce has max value',
  'insufficient-funds': 'insufficient funds for gas * price + value',
  'intrinsic-gas-too-low': 'intrinsic gas too low',
  'floor-data-gas-too-low': 'insufficient gas for floor data gas cost',
  'gas-limit-too-high': 'exceeds block gas limit',
  'tip-above-fee-cap': 'max priority fee per gas higher than max fee per gas',
  'fee-below-minimum': 'transaction underpriced',
  'replacement-underpriced': 'replacement transaction underpriced',
  'already-known': 'already known',
  'initcode-too-large': 'max initcode size exceeded',
  'sender-has-code': 'sender not an eoa',
  'sender-queue-full': 'account limit exceeded',
  'pool-full': 'txpool is full',
  'shard-not-followed': 'this node does not follow the shard of the sender',
};

/** A transaction that the mempool does not take. */
export function transactionRefused(reason: SubmitRefusal, detail: string): RpcError {
  const message = SUBMIT_MESSAGES[reason];
  return new RpcError(SERVER_ERROR, detail === '' ? message : `${message}: ${detail}`);
}

function executionReverted(returnData: Uint8Array): RpcError {
  const reason = revertReasonOf(returnData);
  return new RpcError(
    EXECUTION_REVERTED,
    reason === undefined ? 'execution reverted' : `execution reverted: ${reason}`,
    bytesToPrefixedHex(returnData),
  );
}

// The text of `Error(string)` or the code of `Panic(uint256)`, as geth appends it.
function revertReasonOf(returnData: Uint8Array): string | undefined {
  const selector = bytesToPrefixedHex(returnData.subarray(0, 4)).slice(2);
  if (selector === PANIC_SELECTOR && returnData.length === 36) return `panic code ${bytesToPrefixedHex(returnData.subarray(35))}`;
  if (selector !== ERROR_SELECTOR || returnData.length < 68) return undefined;
  const length = new DataView(returnData.buffer, returnData.byteOffset).getUint32(64);
  const isPlain = returnData.subarray(36, 64).every((byte) => byte === 0) && 68 + length <= returnData.length;
  if (!isPlain) return undefined;
  return new TextDecoder().decode(returnData.subarray(68, 68 + Math.min(length, REASON_BYTES_MAX)));
}
