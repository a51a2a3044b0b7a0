// Clients that read through JSON-RPC under faults: what they are told is checked against the replay, and a node that told anything else
// would be seen.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { readPreset } from '../../src/node/genesis-file.ts';
import type { JsonValue } from '../../src/rpc/json.ts';
import { PLAIN_SHAPE } from '../../src/simulation/chain-shape.ts';
import type { Answer, HeadNews } from '../../src/simulation/readers.ts';
import { runSchedule, type ScheduleOptions } from '../../src/simulation/schedule.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import type { World } from '../../src/simulation/world.ts';
import { prepareHashes } from './hashes.ts';

function run(seed: number, options: Partial<ScheduleOptions> = {}) {
  const crypto = standInCrypto();
  return runSchedule({ seed, nodes: 4, crypto, preset: readPreset('devnet'), ...options });
}

/** Changes the results of one kind of answer about blocks that were final before. */
function tampered(kind: Answer['question']['kind'], change: (result: JsonValue) => JsonValue): NonNullable<ScheduleOptions['tamper']> {
  const answer = (given: Answer): Answer => {
    const { response, question, headBefore } = given;
    if (question.kind !== kind || headBefore < 4 || 'error' in response || response.result === null) return given;
    return { ...given, response: { ...response, result: change(response.result) } };
  };
  return { answer, head: (news) => news };
}

const quiet = { faults: [], dishonest: [], shape: PLAIN_SHAPE };

describe('what clients read', () => {
  before(() => prepareHashes());

  it('is what the replay computed, under faults and with dishonest validators', async () => {
    let reads = 0;
    for (let seed = 400; seed < 406; seed++) {
      const report = await run(seed);
      assert.equal(report.violation, undefined, `seed ${seed}: ${JSON.stringify(report.violation)}`);
      reads += report.reads;
    }
    assert.ok(reads > 600, `${reads} reads`);
  });

  it('would be seen to vanish', async () => {
    const { violation } = await run(1, { ...quiet, tamper: tampered('receipts', () => null) });
    assert.equal(violation?.property, 'durability');
  });

  it('would be seen to go back', async () => {
    const { violation } = await run(1, { ...quiet, tamper: tampered('head', () => '0x1') });
    assert.equal(violation?.property, 'durability');
  });

  it('would be seen to differ from what was executed', async () => {
    const wrongs: [Answer['question']['kind'], (result: JsonValue) => JsonValue][] = [
      ['balance', (result) => `${String(result)}0`],
      ['nonce', () => '0xffff'],
      ['block', (result) => ({ ...(result as Record<string, JsonValue>), stateRoot: `0x${'00'.repeat(32)}` })],
      ['receipt', (result) => ({ ...(result as Record<string, JsonValue>), status: '0x2' })],
      ['logs', (result) => [...(result as readonly JsonValue[]), { removed: true }]],
      ['transaction', (result) => ({ ...(result as Record<string, JsonValue>), gas: '0x2' })],
      ['code', (result) => `${String(result)}00`],
      ['storage', () => `0x${'ff'.repeat(32)}`],
      ['call', () => '0x01'],
      ['supply', (result) => ({ ...(result as Record<string, JsonValue>), burned: '0x1' })],
    ];
    for (const [kind, change] of wrongs) {
      // Not every schedule asks each kind of question often enough.
      let seen: string | undefined;
      for (let seed = 1; seed <= 4 && seen === undefined; seed++)
        seen = (await run(seed, { ...quiet, tamper: tampered(kind, change) })).violation?.property;
      assert.equal(seen, 'determinism', kind);
    }
  });

  it('would be seen to be refused, or not to come at all', async () => {
    const refused = (given: Answer): Answer =>
      given.question.kind === 'balance'
        ? { ...given, response: { jsonrpc: '2.0', id: 1, error: { code: -32000, message: 'pruned' } } }
        : given;
    const { violation } = await run(1, { ...quiet, tamper: { answer: refused, head: (news) => news } });
    assert.equal(violation?.property, 'durability');
    const deaf = (world: World): void => {
      const ports = world.rpcPorts;
      Object.assign(world, {
        rpcPorts: (index: number) => ({ ...ports(index), view: { ...ports(index).view, supplyAt: () => new Promise(() => undefined) } }),
      });
    };
    const silent = await run(1, { ...quiet, onWorld: deaf });
    assert.equal(silent.violation?.property, 'liveness');
    assert.match(silent.violation?.detail ?? '', /is not answered/);
  });

  it('would be seen when a subscriber misses a head, or is told of another', async () => {
    let count = 0;
    const missing = (news: HeadNews): HeadNews => (++count === 9 ? { ...news, before: { number: '0x1' } } : news);
    const answer = (given: Answer): Answer => given;
    assert.equal((await run(1, { ...quiet, tamper: { answer, head: missing } })).violation?.property, 'durability');
    const other = (news: HeadNews): HeadNews => (++count === 9 ? { ...news, header: { ...news.header, gasUsed: '0x7' } } : news);
    count = 0;
    assert.equal((await run(1, { ...quiet, tamper: { answer, head: other } })).violation?.property, 'determinism');
  });
});
