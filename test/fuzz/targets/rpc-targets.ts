// JSON-RPC: bodies as they come by HTTP, to a dispatcher over a chain in memory; each reader of a parameter by itself; and what the command
// `coppice status` makes of a node's answers.
import assert from 'node:assert/strict';
import { askStatus } from '../../../src/cli/json-rpc.ts';
import { readBlockOverrides } from '../../../src/rpc/block-override.ts';
import { readBlockNumberOrTag, readBlockSelector } from '../../../src/rpc/block-selector.ts';
import { readCallRequest } from '../../../src/rpc/call-request.ts';
import { readFilterId } from '../../../src/rpc/filter-id.ts';
import { readLogCriteria, readLogFilter } from '../../../src/rpc/log-filter.ts';
import {
  type Read,
  readAddress,
  readBigQuantity,
  readBoolean,
  readCount,
  readData,
  readHash,
  readHashHex,
  readList,
  readParameters,
  readQuantity,
  readSlot,
  required,
} from '../../../src/rpc/parameter.ts';
import { readStateOverrides } from '../../../src/rpc/state-override.ts';
import type { SeededRandom } from '../../../src/simulation/random.ts';
import { alice, bob, ChainFixture, LOGGER_INIT_CODE, SENDER_INIT_CODE } from '../../rpc/chain-fixture.ts';
import type { FuzzTarget } from '../target.ts';
import { jsonValue, TEXT_WORDS, textOf, textToBytes } from './json-values.ts';
import { requestBody } from './rpc-values.ts';

/** geth's family: JSON-RPC's own, EIP-1474's, a revert, and EIP-7966's timeout. Not among them: -32603, a fault of the node. */
const CODES: ReadonlySet<number> = new Set([-32700, -32600, -32601, -32602, -32000, -32005, 3, 4]);

let made: Promise<ChainFixture> | undefined;

async function chainOf(): Promise<ChainFixture> {
  made ??= makeChain();
  return made;
}

async function makeChain(): Promise<ChainFixture> {
  const chain = new ChainFixture({ filtersMax: 64 });
  for (const data of [LOGGER_INIT_CODE, SENDER_INIT_CODE] as const) {
    await chain.send(alice, { to: null, data });
    await chain.send(bob, { to: alice.address, value: 1n });
    await chain.mine();
  }
  return chain;
}

const rpcBody: FuzzTarget = {
  name: 'rpc-body',
  covers: ['rpc/dispatch#createDispatcher', 'rpc/methods#METHODS', 'rpc/errors#parseError'],
  executions: 3_000,
  words: TEXT_WORDS,
  generatedShare: 0.8,
  slowestMs: 2_000,
  async generate(random) {
    return textToBytes(requestBody(random, await chainOf()));
  },
  async judge(bytes) {
    const chain = await chainOf();
    const waitingBefore = JSON.stringify(chain.mempool.status());
    chain.requests = [];
    const answering = chain.dispatcher.handleText(textOf(bytes));
    const answer = await settled(chain, answering);
    const said = chain.requests.map(({ method, code }) => `${method} ${code}`);
    assert.deepEqual(chain.faults.splice(0).map(String), [], 'no input is a fault of the node');
    if (answer === undefined) return `nothing to answer: ${said.join(', ')}`;
    answer.release();
    const answers = [JSON.parse(answer.text)].flat() as {
      jsonrpc: string;
      id: unknown;
      result?: unknown;
      error?: { code: number; message: string };
    }[];
    for (const { jsonrpc, id, result, error } of answers) {
      assert.equal(jsonrpc, '2.0');
      assert.ok(id === null || typeof id === 'string' || typeof id === 'number', 'an answer has an id');
      assert.ok((result === undefined) !== (error === undefined), 'an answer has a result or an error');
      if (error === undefined) continue;
      assert.ok(CODES.has(error.code), `${error.code} is no code of geth's family: ${error.message}`);
      assert.ok(error.message.length > 0 && error.message.length < 2_500, 'an error says something short');
    }
    if (answers.every(({ error }) => error !== undefined))
      assert.equal(JSON.stringify(chain.mempool.status()), waitingBefore, 'what is refused leaves nothing behind');
    return said.length === 0 ? `error ${answers[0]?.error?.code}` : said.slice(0, 2).join(', ');
  },
};

// eth_sendRawTransactionSync waits on the chain's own time, which nothing but this moves.
async function settled<T>(chain: ChainFixture, answering: Promise<T>): Promise<T> {
  let isDone = false;
  const done = answering.finally(() => {
    isDone = true;
  });
  for (let turns = 0; !isDone && turns < 10_000; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (turns > 50 && !isDone) chain.advance(1_000);
  }
  return done;
}

const READERS: Readonly<Record<string, Read<unknown>>> = {
  'rpc/parameter#readAddress': readAddress,
  'rpc/parameter#readHash': readHash,
  'rpc/parameter#readHashHex': readHashHex,
  'rpc/parameter#readData': readData,
  'rpc/parameter#readBigQuantity': readBigQuantity,
  'rpc/parameter#readQuantity': readQuantity,
  'rpc/parameter#readCount': readCount,
  'rpc/parameter#readBoolean': readBoolean,
  'rpc/parameter#readSlot': readSlot,
  'rpc/parameter#readList': readList(readHash, 3),
  'rpc/block-selector#readBlockNumberOrTag': readBlockNumberOrTag,
  'rpc/block-selector#readBlockSelector': readBlockSelector,
  'rpc/block-override#readBlockOverrides': readBlockOverrides,
  'rpc/call-request#readCallRequest': readCallRequest,
  'rpc/log-filter#readLogFilter': readLogFilter,
  'rpc/log-filter#readLogCriteria': readLogCriteria,
  'rpc/state-override#readStateOverrides': readStateOverrides,
  'rpc/filter-id#readFilterId': readFilterId,
};

const REFUSAL_CHARACTERS_MAX = 1_000;

const rpcParameters: FuzzTarget = {
  name: 'rpc-parameters',
  covers: [...Object.keys(READERS), 'rpc/parameter#readParameters', 'rpc/parameter#readMembers'],
  executions: 4_000,
  words: TEXT_WORDS,
  generatedShare: 0.8,
  async generate(random) {
    const chain = await chainOf();
    if (random.chance(0.2)) return textToBytes(JSON.stringify(jsonValue(random)));
    const body = JSON.parse(requestBody(random, chain)) as { params?: unknown[] } | null;
    const params = typeof body === 'object' && Array.isArray(body?.params) ? body.params : [];
    return textToBytes(JSON.stringify(params.length === 0 ? null : random.pick(params)));
  },
  judge(bytes) {
    let value: unknown;
    try {
      value = JSON.parse(textOf(bytes));
    } catch {
      return 'no JSON';
    }
    const accepting: string[] = [];
    for (const [name, read] of Object.entries(READERS)) {
      const verdict = read(value);
      if (verdict.ok) accepting.push(name.split('#')[1] as string);
      else assert.ok(verdict.detail.length > 0 && verdict.detail.length < REFUSAL_CHARACTERS_MAX, 'a refusal says something short');
      const values = readParameters([required('one', read)], [value]);
      assert.equal(Array.isArray(values), verdict.ok && value !== null);
    }
    if (typeof value === 'string' && readQuantity(value).ok) assertQuantity(value);
    return accepting.length === 0 ? 'nothing reads it' : `read by ${accepting.join(', ')}`;
  },
};

function assertQuantity(text: string): void {
  const [number, big] = [readQuantity(text), readBigQuantity(text)];
  assert.ok(
    number.ok && big.ok && BigInt(number.value) === big.value && big.value === BigInt(text),
    'a quantity is the number that it says',
  );
}

const nodeStatus: FuzzTarget = {
  name: 'node-status',
  covers: ['cli/json-rpc#askRpc', 'cli/json-rpc#askStatus'],
  executions: 1_000,
  words: TEXT_WORDS,
  generatedShare: 0.8,
  generate: (random) => textToBytes(JSON.stringify({ jsonrpc: '2.0', id: 1, result: statusResult(random) })),
  async judge(bytes) {
    const { fetch } = globalThis;
    globalThis.fetch = async () => new Response(Buffer.from(bytes));
    try {
      const status = await askStatus('http://127.0.0.1:1');
      if (status === undefined) return 'no answer';
      for (const number of [status.blockNumber, status.chainId, status.peers, status.pendingTransactions])
        assert.ok(Number.isSafeInteger(number) && number >= 0, 'a status is of numbers');
      assert.ok(typeof status.clientVersion === 'string' && !/\p{Cc}/u.test(status.clientVersion), 'a version controls no terminal');
      return 'a status';
    } finally {
      globalThis.fetch = fetch;
    }
  },
};

function statusResult(random: SeededRandom): unknown {
  return random.pick<unknown>([
    '0x1',
    `0x${random.integer(0, 2 ** 31).toString(16)}`,
    { pending: '0x2' },
    jsonValue(random),
    { toString: null, valueOf: 1 },
  ]);
}

/** See the file's head. */
export const RPC_TARGETS: readonly FuzzTarget[] = [rpcBody, rpcParameters, nodeStatus];
