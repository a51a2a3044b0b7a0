// Which logs a client asks for (execution-apis, "Filter"), and the search for them: headers' blooms first, then the blocks that may have
// some. A search spans at most `logBlocksMax` blocks and finds at most `logsMax` logs; beyond, the client is told to ask for less.

import { isInBloom } from '../core/execution/logs-bloom.ts';
import { bytesEqual } from '../core/primitives/bytes.ts';
import type { Address, Bytes32, Hex } from '../core/primitives/ids.ts';
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';
import type { Log } from '../core/protocol/message.ts';
import type { ViewBlock } from '../core/view/view-block.ts';
import { type BlockSelector, LATEST, readBlockNumberOrTag } from './block-selector.ts';
import { invalidParams, limitExceeded, type RpcError, unknownBlock } from './errors.ts';
import { formatLog } from './format-receipt.ts';
import { type JsonObject, quantity } from './json.ts';
import type { RpcContext } from './method.ts';
import type { WorkTurns } from './pacing.ts';
import { expected, isObject, type Read, readAddress, readHash, readHashHex, readList, readMembers } from './parameter.ts';
import type { RpcPorts } from './ports.ts';

/** What a log must have. */
export interface LogCriteria {
  /** One of these; empty: any. */
  readonly addresses: readonly Address[];
  /** By position: one of these; empty: any. A log with fewer topics than positions does not match. */
  readonly topics: readonly (readonly Bytes32[])[];
}

/** See the file's head. */
export interface LogFilter extends LogCriteria {
  readonly range: { readonly from: BlockSelector; readonly to: BlockSelector } | { readonly blockHash: Hex };
}

const ADDRESSES_MAX = 1000;
const TOPIC_POSITIONS_MAX = 4;
const TOPIC_ALTERNATIVES_MAX = 1000;

function oneOrMany<T>(read: Read<T>, countMax: number): Read<readonly T[]> {
  return (value): Verdict<readonly T[], 'invalid'> => {
    if (Array.isArray(value)) return readList(read, countMax)(value);
    const one = read(value);
    return one.ok ? accept([one.value]) : one;
  };
}

// null: any topic. A list: any of these, and null among them makes it any.
const readTopicPosition: Read<readonly Bytes32[]> = (value) => {
  if (value === null || value === undefined) return accept([]);
  if (Array.isArray(value) && value.length <= TOPIC_ALTERNATIVES_MAX && value.includes(null)) return accept([]);
  return oneOrMany(readHash, TOPIC_ALTERNATIVES_MAX)(value);
};

const RANGE_MEMBERS = { blockHash: readHashHex, fromBlock: readBlockNumberOrTag, toBlock: readBlockNumberOrTag };
const CRITERIA_MEMBERS = { address: oneOrMany(readAddress, ADDRESSES_MAX), topics: readList(readTopicPosition, TOPIC_POSITIONS_MAX) };

/** The filter of `eth_getLogs` and `eth_newFilter`. */
export const readLogFilter: Read<LogFilter> = (value) => {
  if (!isObject(value)) return expected('a filter object', value);
  const criteria = readLogCriteria(value);
  if (!criteria.ok) return criteria;
  const range = readMembers(value, RANGE_MEMBERS);
  if (!range.ok) return range;
  const { blockHash, fromBlock, toBlock } = range.value;
  if (blockHash === undefined) return accept({ ...criteria.value, range: { from: fromBlock ?? LATEST, to: toBlock ?? LATEST } });
  if (fromBlock !== undefined || toBlock !== undefined)
    return refuse('invalid', 'cannot specify both blockHash and fromBlock/toBlock, choose one or the other');
  return accept({ ...criteria.value, range: { blockHash } });
};

/** The part of a filter that speaks of the logs themselves: all that a subscription has. */
export const readLogCriteria: Read<LogCriteria> = (value) => {
  if (!isObject(value)) return expected('a filter object', value);
  const members = readMembers(value, CRITERIA_MEMBERS);
  if (!members.ok) return members;
  return accept({ addresses: members.value.address ?? [], topics: members.value.topics ?? [] });
};

/** How much of the node's memory criteria take: addresses and topics. */
export function sizeOfCriteria({ addresses, topics }: LogCriteria): number {
  return topics.reduce((sum, wanted) => sum + wanted.length, addresses.length);
}

/** Whether a log has what the criteria want. */
export function matchesLog(criteria: LogCriteria, log: Log): boolean {
  if (criteria.addresses.length > 0 && !includes(criteria.addresses, log.address)) return false;
  if (criteria.topics.length > log.topics.length) return false;
  return criteria.topics.every((wanted, position) => wanted.length === 0 || includes(wanted, log.topics[position] as Bytes32));
}

/** Tells of the logs of one block that match, one by one, and rests in between: a block may have 40,000. */
export async function tellLogs(criteria: LogCriteria, block: ViewBlock, turns: WorkTurns, tell: (log: JsonObject) => void): Promise<void> {
  if (!mayMatch(criteria, block.header.logsBloom)) return;
  for (const [index, receipt] of block.receipts.entries()) {
    for (const [position, log] of receipt.logs.entries()) {
      if (!matchesLog(criteria, log)) continue;
      tell(formatLog(block, index, position));
      await turns.rest();
    }
  }
}

/** The logs of one block that match. */
export function logsOfBlock(criteria: LogCriteria, block: ViewBlock): readonly JsonObject[] {
  const found: JsonObject[] = [];
  block.receipts.forEach((receipt, index) => {
    receipt.logs.forEach((log, position) => {
      if (matchesLog(criteria, log)) found.push(formatLog(block, index, position));
    });
  });
  return found;
}

/** All logs that a filter finds. */
export async function findLogs(context: RpcContext, filter: LogFilter): Promise<readonly JsonObject[] | RpcError> {
  const { ports, limits } = context;
  if ('blockHash' in filter.range) {
    const block = await ports.view.blockByHash(filter.range.blockHash);
    return block === undefined ? unknownBlock() : logsOfBlock(filter, block);
  }
  const from = heightOf(filter.range.from, ports);
  const to = heightOf(filter.range.to, ports);
  if (from > to) return invalidParams('invalid block range params: fromBlock is above toBlock');
  const last = Math.min(to, ports.view.head().header.number);
  if (last - from >= limits.logBlocksMax) return limitExceeded(`query exceeds max block range ${limits.logBlocksMax}`);
  return findLogsBetween(context, filter, from, last);
}

/** The logs of blocks `from` to `to`, both included; the caller has bounded their number. */
export async function findLogsBetween(
  { ports, limits, turns }: RpcContext,
  criteria: LogCriteria,
  from: number,
  to: number,
): Promise<readonly JsonObject[] | RpcError> {
  const found: JsonObject[] = [];
  for (let number = Math.max(from, ports.view.oldestNumber()); number <= to; number++) {
    await turns.rest();
    const header = await ports.view.headerByNumber(number);
    if (header === undefined || !mayMatch(criteria, header.header.logsBloom)) continue;
    const block = await ports.view.blockByNumber(number);
    if (block === undefined) continue;
    const logs = logsOfBlock(criteria, block);
    if (found.length + logs.length > limits.logsMax) {
      return limitExceeded(
        `query returned more than ${limits.logsMax} results. Try with this block range [${quantity(from)}, ${quantity(Math.max(from, number - 1))}].`,
      );
    }
    found.push(...logs);
  }
  return found;
}

/** The number of the block that a bound of a range means; `pending` has no logs yet. */
export function heightOf(selector: BlockSelector, ports: RpcPorts): number {
  if (selector.kind === 'number') return selector.number;
  return selector.kind === 'earliest' ? ports.view.oldestNumber() : ports.view.head().header.number;
}

function mayMatch(criteria: LogCriteria, bloom: Uint8Array): boolean {
  if (criteria.addresses.length > 0 && !criteria.addresses.some((address) => isInBloom(bloom, address))) return false;
  return criteria.topics.every((wanted) => wanted.length === 0 || wanted.some((topic) => isInBloom(bloom, topic)));
}

function includes(list: readonly Uint8Array[], value: Uint8Array): boolean {
  return list.some((element) => bytesEqual(element, value));
}
