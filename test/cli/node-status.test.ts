// What `coppice status` makes of answers that are not a node's.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { askStatus } from '../../src/cli/json-rpc.ts';

describe('the status of a node', () => {
  let server: Server;
  let url: string;
  let result: unknown;

  before(async () => {
    server = createServer((_request, response) => response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result })));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  it('is read from quantities', async () => {
    result = '0x10';
    assert.deepEqual(await askStatus(url), {
      clientVersion: '0x10',
      chainId: 16,
      blockNumber: 16,
      peers: 16,
      pendingTransactions: 0,
      syncing: true,
    });
  });

  it('is none where whatever answers says anything else, and never an error', async () => {
    for (const other of [null, 7, 'x', '0x', '\u001b[2J', [], { toString: null, valueOf: null }, '0x20000000000000000']) {
      result = other;
      assert.equal(await askStatus(url), undefined);
    }
  });
});
