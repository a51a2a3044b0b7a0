// From a JSON-RPC 2.0 request to its answer, whatever brought it: HTTP, WebSocket, a test or the simulator.
//
// Nothing that a client sends makes this throw. A method that throws all the same is a fault of the node: the client learns no more
// than that, and the log has the rest.
import { isError } from '../core/primitives/errors.ts';
import { Budget, createBudgetPair } from './budget.ts';
import type { Connection } from './connection.ts';
import {
  internalError,
  invalidRequest,
  limitExceeded,
  methodNotFound,
  methodRefused,
  parseError,
  RpcError,
  shardsNotFollowed,
} from './errors.ts';
import { FilterRegistry } from './filter-registry.ts';
import { SMALL_REQUEST_BYTES_MAX } from './inbound-bytes.ts';
import type { JsonValue } from './json.ts';
import type { RpcLimits } from './limits.ts';
import type { Method, RpcContext } from './method.ts';
import { LONG_METHODS, METHODS, REFUSED_METHODS } from './methods.ts';
import { NewsFeed } from './news-feed.ts';
import { AnswerBytes } from './outbound-bytes.ts';
import { WorkTurns } from './pacing.ts';
import { isObject, readParameters } from './parameter.ts';
import { createPendingBlocks } from './pending-block.ts';
import type { RpcPorts } from './ports.ts';
import { ReceiptWaiter } from './receipt-waiter.ts';

/** What a client gives to tell answers apart. */
export type RequestId = string | number | null;

/** A JSON-RPC answer. */
export type RpcResponse =
  | { readonly jsonrpc: '2.0'; readonly id: RequestId; readonly result: JsonValue }
  | { readonly jsonrpc: '2.0'; readonly id: RequestId; readonly error: RpcErrorObject };

/** The error of an answer. */
export interface RpcErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: string;
}

/** Told of every request: `method` is a known name or `unknown`, `code` 0 or the error's. */
export type RequestObserver = (method: string, code: number, durationMs: number) => void;

/** Told of every fault of the node itself. */
export type FaultObserver = (method: string, fault: unknown) => void;

/** What a dispatcher is made of. */
export interface DispatcherOptions {
  readonly ports: RpcPorts;
  readonly limits: RpcLimits;
  /** Ids of filters that nobody can guess, as quantities. */
  readonly newId: () => string;
  readonly onRequest?: RequestObserver;
  readonly onFault?: FaultObserver;
}

/** See the file's head. */
export interface Dispatcher {
  /** The answer to one request object; undefined for a notification, which has no id. */
  readonly handle: (request: unknown, connection?: Connection) => Promise<RpcResponse | undefined>;
  /** The answer to a body: a request or a batch, as JSON text; undefined when nothing is to be answered. */
  readonly handleText: (text: string, connection?: Connection, isGone?: IsGone) => Promise<SentAnswer | undefined>;
  readonly close: () => void;
}

/** Whether the client has gone: then the rest of its batch is not begun. */
export type IsGone = () => boolean;

/** What goes back to the client. */
export interface AnswerText {
  readonly text: string;
  /**
   * Those of its results that are short strings: a connection looks for its subscriptions among them. Nothing else, since an answer as
   * objects is some times as large as its text, and would be kept until the client has taken it.
   */
  readonly results: readonly string[];
}

/** An answer on its way: `release` is called when the client has taken it or is gone. */
export interface SentAnswer extends AnswerText {
  readonly release: () => void;
}

/** Requests of a batch that run side by side. */
const BATCH_CONCURRENCY = 64;
const ID_CHARACTERS_MAX = 128;
/** As Go's decoder, and so geth. What nests deeper is no JSON to them. */
const NESTING_MAX = 10_000;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** With this bit set a bracket is a brace. */
const CASE_BIT = 0x20;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
/** News that subscribers may be behind. Full blocks are some megabytes each. */
const HEADS_WAITING_MAX = 64;
const PENDING_WAITING_MAX = 8_192;

/** See the file's head. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { subscriptions, timing } = options.ports;
  const turns = new WorkTurns(timing);
  const criteria = new Budget(options.limits.criteriaMax);
  const onFault = (fault: unknown): void => options.onFault?.('eth_subscribe', fault);
  const context: RpcContext = {
    ports: options.ports,
    limits: options.limits,
    filters: new FilterRegistry(options.ports, options.limits, options.newId, criteria),
    receiptWaiter: new ReceiptWaiter(options.ports, options.limits),
    criteria,
    heads: new NewsFeed(subscriptions.onHead, HEADS_WAITING_MAX, turns, onFault),
    pendingTransactions: new NewsFeed(subscriptions.onPendingTransaction, PENDING_WAITING_MAX, turns, onFault),
    turns,
    pendingBlock: createPendingBlocks(options.ports),
  };
  const outbound = createBudgetPair(options.limits.outboundBytesMax);
  const handle = (request: unknown, connection?: Connection, bytes?: AnswerBytes) =>
    handleRequest(options, context, request, connection, bytes);
  const items = new Budget(options.limits.batchItemsUnderWayMax);
  const answerTo = async (text: string, bytes: AnswerBytes, isGone: IsGone, connection?: Connection): Promise<AnswerText | undefined> => {
    if (text.length > SMALL_REQUEST_BYTES_MAX) await turns.rest();
    if (isGone()) return undefined;
    const body = parse(text);
    if (body === undefined) return toText(failure(null, parseError()));
    if (Array.isArray(body)) {
      if (!items.take(body.length)) return toText(failure(null, limitExceeded('the node is busy: too many batches are under way')));
      try {
        return await handleBatch(context, body, bytes, isGone, (request) => handle(request, connection, bytes));
      } finally {
        items.give(body.length);
      }
    }
    const response = await handle(body, connection, bytes);
    return response && (withinBudget(response, bytes) ?? toText(failure(idOf(body), noRoom())));
  };
  return {
    handle: (request, connection) => handle(request, connection),
    handleText: async (text, connection, isGone = () => false) => {
      const bytes = new AnswerBytes(outbound);
      const answer = await answerTo(text, bytes, isGone, connection);
      return answer && { ...answer, release: () => bytes.release() };
    },
    close: () => {
      context.filters.close();
      context.receiptWaiter.close();
      context.turns.close();
    },
  };
}

// Some requests wait (for the mempool's verdict), so several run side by side; those that compute get their turn one after the other.
async function handleBatch(
  { limits, turns }: RpcContext,
  batch: readonly unknown[],
  bytes: AnswerBytes,
  isGone: IsGone,
  handle: (request: unknown) => Promise<RpcResponse | undefined>,
): Promise<AnswerText | undefined> {
  if (batch.length === 0) return toText(failure(null, invalidRequest('empty batch')));
  if (batch.length > limits.batchItemsMax)
    return toText(failure(null, invalidRequest(`batch too large: ${batch.length} requests, at most ${limits.batchItemsMax}`)));
  const running = new Set<Promise<void>>();
  const answers: (AnswerText | undefined)[] = [];
  let length = 0;
  // Once an answer has no room, nothing more begins: the rest of the batch has this error at once.
  let refusal: RpcError | undefined;
  for (const [index, request] of batch.entries()) {
    if (refusal === undefined) await turns.rest();
    if (isGone()) break;
    if (refusal !== undefined) {
      if (!isNotification(request)) answers[index] = toText(failure(idOf(request), refusal));
      continue;
    }
    const one = handle(request).then((response) => {
      running.delete(one);
      if (response === undefined) return;
      const answer = withinBudget(response, bytes);
      answers[index] = answer ?? toText(failure(idOf(request), noRoom()));
      length += answers[index].text.length;
      if (answer === undefined) refusal ??= noRoom();
      else if (length > limits.batchResponseBytesMax) refusal ??= limitExceeded('response too large');
    });
    running.add(one);
    if (running.size >= BATCH_CONCURRENCY) await Promise.race(running);
  }
  await Promise.all(running);
  const given = answers.filter((answer) => answer !== undefined);
  if (given.length === 0) return undefined;
  return { text: `[${given.map((answer) => answer.text).join(',')}]`, results: given.flatMap((answer) => answer.results) };
}

// The text of an answer; undefined for one that there is no room for, because clients do not take theirs.
function withinBudget(response: RpcResponse, bytes: AnswerBytes): AnswerText | undefined {
  const answer = toText(response);
  return bytes.add(answer.text.length) ? answer : undefined;
}

// So short that it needs no room.
function noRoom(): RpcError {
  return limitExceeded('the node is busy: too many answers are not taken yet');
}

async function handleRequest(
  options: DispatcherOptions,
  context: RpcContext,
  request: unknown,
  connection: Connection | undefined,
  bytes: AnswerBytes | undefined,
): Promise<RpcResponse | undefined> {
  const startMs = options.ports.timing.nowMs();
  const id = idOf(request);
  const method = methodOf(request);
  const answer = method instanceof RpcError ? method : await runMethod(options, context, method, request, connection, bytes);
  options.onRequest?.(
    method instanceof RpcError ? 'unknown' : method.name,
    answer instanceof RpcError ? answer.code : 0,
    options.ports.timing.nowMs() - startMs,
  );
  if (isNotification(request)) return undefined;
  return answer instanceof RpcError ? failure(id, answer) : { jsonrpc: '2.0', id, result: answer };
}

async function runMethod(
  options: DispatcherOptions,
  context: RpcContext,
  method: Method,
  request: unknown,
  connection: Connection | undefined,
  bytes: AnswerBytes | undefined,
): Promise<JsonValue | RpcError> {
  const values = readParameters(method.parameters, (request as Record<string, unknown>)['params']);
  if (values instanceof RpcError) return values;
  try {
    if (LONG_METHODS.has(method.name)) {
      await context.turns.rest();
      // Before it is made: thousands of large answers that nobody takes would be some gigabytes of garbage.
      if (bytes?.mayHaveRoom === false) return noRoom();
    }
    return await method.run(context, values as readonly unknown[], connection);
  } catch (fault) {
    if (isError(fault, 'rpc/shards-not-followed')) return shardsNotFollowed();
    if (isError(fault, 'execution/too-many-simulations')) return limitExceeded('too many calls are waiting: try again later');
    options.onFault?.(method.name, fault);
    return internalError();
  }
}

function methodOf(request: unknown): Method | RpcError {
  if (!isObject(request)) return invalidRequest('not an object');
  if (request['jsonrpc'] !== '2.0') return invalidRequest('jsonrpc must be "2.0"');
  const { id, method: name } = request;
  if (id !== undefined && !isId(id))
    return invalidRequest(`id must be a number, null or a string of at most ${ID_CHARACTERS_MAX} characters`);
  if (!isMethodName(name)) return invalidRequest('method must be a string that is not empty');
  const method = METHODS.get(name);
  if (method !== undefined) return method;
  const why = REFUSED_METHODS.get(name);
  return why === undefined ? methodNotFound(name) : methodRefused(name, why);
}

// A request without an id; one that is none otherwise either is answered, so that its sender learns of it.
function isNotification(request: unknown): boolean {
  return isObject(request) && request['id'] === undefined && request['jsonrpc'] === '2.0' && isMethodName(request['method']);
}

function isMethodName(name: unknown): name is string {
  return typeof name === 'string' && name !== '';
}

// The bound keeps errors short: every one of them repeats its id.
function isId(id: unknown): id is RequestId {
  return id === null || typeof id === 'number' || (typeof id === 'string' && id.length <= ID_CHARACTERS_MAX);
}

// The id to answer with: null for one that is not allowed.
function idOf(request: unknown): RequestId {
  const id = isObject(request) ? request['id'] : null;
  return isId(id) ? id : null;
}

function failure(id: RequestId, { code, message, data }: RpcError): RpcResponse {
  return { jsonrpc: '2.0', id, error: { code, message, ...(data !== undefined && { data }) } };
}

function toText(response: RpcResponse): AnswerText {
  const result = 'result' in response ? response.result : undefined;
  const isIdentifier = typeof result === 'string' && result.length <= ID_CHARACTERS_MAX;
  return { text: JSON.stringify(response), results: isIdentifier ? [result] : [] };
}

// What is nested so deep is no request, and takes the parser 0.1 s a megabyte to find out. Strings are passed over unread.
function nestsTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) {
      do at = text.indexOf('"', at + 1);
      while (at !== -1 && isEscaped(text, at));
      if (at === -1) return false;
    } else if ((character | CASE_BIT) === OPENING_BRACE) {
      if (++depth > NESTING_MAX) return true;
    } else if ((character | CASE_BIT) === CLOSING_BRACE) {
      depth--;
    }
  }
  return false;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}

// JSON is never `undefined`, so that stands for what is none.
function parse(text: string): unknown {
  if (text.length > NESTING_MAX && nestsTooDeep(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
