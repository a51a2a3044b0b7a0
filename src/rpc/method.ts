// What a JSON-RPC method is: its name, its parameters, and what it does. One file for each under eth/, net/, web3/, txpool/ and coppice/.
import type { Transaction } from '../core/protocol/transaction.ts';
import type { ViewBlock } from '../core/view/view-block.ts';
import type { Budget } from './budget.ts';
import type { Connection } from './connection.ts';
import type { RpcError } from './errors.ts';
import type { FilterRegistry } from './filter-registry.ts';
import type { JsonValue } from './json.ts';
import type { RpcLimits } from './limits.ts';
import type { NewsFeed } from './news-feed.ts';
import type { WorkTurns } from './pacing.ts';
import type { Parameter, ValuesOf } from './parameter.ts';
import type { Awaitable, RpcPorts } from './ports.ts';
import type { ReceiptWaiter } from './receipt-waiter.ts';

/** What methods work with. */
export interface RpcContext {
  readonly ports: RpcPorts;
  readonly limits: RpcLimits;
  readonly filters: FilterRegistry;
  readonly receiptWaiter: ReceiptWaiter;
  /** Addresses and topics that are kept. */
  readonly criteria: Budget;
  /** What subscriptions are about. */
  readonly heads: NewsFeed<ViewBlock>;
  readonly pendingTransactions: NewsFeed<Transaction>;
  /** For everything that takes long. */
  readonly turns: WorkTurns;
  /** What would follow the head now. */
  readonly pendingBlock: () => ViewBlock;
}

/** What a method answers. */
export type RpcAnswer = JsonValue | RpcError;

/** See the file's head. `connection` is there over WebSocket only. */
export interface Method {
  readonly name: string;
  readonly parameters: readonly Parameter<unknown>[];
  readonly run: (context: RpcContext, values: readonly unknown[], connection: Connection | undefined) => Awaitable<RpcAnswer>;
}

/** A method whose function takes its parameters' values, read and typed. */
export function defineMethod<const P extends readonly Parameter<unknown>[]>(
  name: string,
  parameters: P,
  run: (context: RpcContext, ...values: ValuesOf<P>) => Awaitable<RpcAnswer>,
): Method {
  return { name, parameters, run: (context, values) => run(context, ...(values as ValuesOf<P>)) };
}

/** A method that needs the connection it came by, to send news on it. */
export function defineConnectionMethod<const P extends readonly Parameter<unknown>[]>(
  name: string,
  parameters: P,
  run: (context: RpcContext, connection: Connection | undefined, ...values: ValuesOf<P>) => Awaitable<RpcAnswer>,
): Method {
  return { name, parameters, run: (context, values, connection) => run(context, connection, ...(values as ValuesOf<P>)) };
}
