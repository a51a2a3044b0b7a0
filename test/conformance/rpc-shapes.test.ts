// The shapes of all answers against Ethereum's own description of its JSON-RPC, by the checker beside the project. Here the server stands
// on a chain in memory (test/rpc/chain-fixture.ts), so that the check is quick and needs no network.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createRpcServer, type RpcServer } from '../../src/rpc/server.ts';
import { alice, bob, ChainFixture, LOGGER_INIT_CODE, SENDER_INIT_CODE } from '../rpc/chain-fixture.ts';
import { runShapeChecker, SHAPE_CHECKER, SHAPES_DOCUMENT } from './rpc-shapes-checker.ts';

const isThere = existsSync(SHAPE_CHECKER) && existsSync(SHAPES_DOCUMENT);

describe('JSON-RPC answers', { skip: isThere ? false : `the checker is not at ${join(SHAPE_CHECKER)}` }, () => {
  let server: RpcServer;

  before(async () => {
    const chain = new ChainFixture();
    const logger = await chain.deploy(LOGGER_INIT_CODE);
    const sender = await chain.deploy(SENDER_INIT_CODE);
    for (const type of ['legacy', 'eip2930', 'eip1559'] as const) {
      await chain.send(alice, { type, value: 1n });
      await chain.send(alice, { type, to: logger, data: `0x${'ab'.repeat(32)}` });
      await chain.mine();
    }
    await chain.send(alice, { to: sender, value: 5n, data: `0x${'00'.repeat(12)}${'99'.repeat(20)}` });
    await chain.mine();
    await chain.send(alice, { value: 3n });
    await chain.send(bob, { value: 3n, nonce: 7 });
    server = await createRpcServer({ ports: chain.ports, host: '127.0.0.1', port: 0 });
  });

  after(() => server.close());

  it('have the shapes that the OpenRPC document gives them', async () => {
    const report = await runShapeChecker(server.url);
    assert.deepEqual(
      report.unmet,
      [],
      JSON.stringify(
        report.rows.filter((row) => report.unmet.includes(row.method)),
        null,
        1,
      ),
    );
    assert.ok(
      report.rows.some((row) => row.method === 'eth_getTransactionByHash' && row.calls > 7),
      'every type of transaction was seen',
    );
  });
});
