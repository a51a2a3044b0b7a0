// JSON-RPC over real sockets: what clients rely on, and what they may not do to the node.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { JsonRpcProvider, WebSocketProvider } from 'ethers';
import { createPublicClient, http, webSocket } from 'viem';
import WebSocket from 'ws';
import { createRpcServer, type RpcServer } from '../../src/rpc/server.ts';
import { type Answer, alice, CHAIN_ID, ChainFixture, SENDER_INIT_CODE } from '../rpc/chain-fixture.ts';

const CHAIN_ID_REQUEST = { jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] };
const BODY_BYTES_MAX = 64 * 1024;

describe('the RPC server', () => {
  let chain: ChainFixture;
  let server: RpcServer;

  before(async () => {
    chain = new ChainFixture();
    server = await createRpcServer({
      ports: chain.ports,
      host: '127.0.0.1',
      port: 0,
      limits: { bodyBytesMax: BODY_BYTES_MAX, subscriptionsPerConnectionMax: 4, connectionBufferedBytesMax: 256 * 1024 },
    });
  });
  after(() => server.close());

  async function post(body: string, headers: Record<string, string> = { 'content-type': 'application/json' }): Promise<Response> {
    return fetch(server.url, { method: 'POST', body, headers, signal: AbortSignal.timeout(10_000) });
  }

  function open(): Promise<WebSocket> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(server.url.replace('http', 'ws'));
      socket.once('open', () => resolve(socket));
      socket.once('error', reject);
    });
  }

  const closed = (socket: WebSocket) => new Promise<number>((resolve) => socket.once('close', resolve));
  const next = (socket: WebSocket) =>
    new Promise<Answer>((resolve) => socket.once('message', (text) => resolve(JSON.parse(text.toString()))));

  /** The server still answers. */
  async function assertAlive(): Promise<void> {
    const answer: Answer = await (await post(JSON.stringify(CHAIN_ID_REQUEST))).json();
    assert.equal(Number(answer.result), CHAIN_ID);
  }

  it('answers posts of any content type, with open CORS', async () => {
    for (const headers of [{ 'content-type': 'application/json; charset=utf-8' }, { 'content-type': 'text/plain' }, {}]) {
      const response = await post(JSON.stringify(CHAIN_ID_REQUEST), headers as Record<string, string>);
      assert.equal(response.status, 200);
      assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
      assert.equal(response.headers.get('access-control-allow-origin'), '*');
    }
    const preflight = await fetch(server.url, {
      method: 'OPTIONS',
      headers: { origin: 'https://wallet.example', 'access-control-request-method': 'POST' },
    });
    assert.equal(preflight.status, 204);
    assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /POST/);
    assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /content-type/);
  });

  it('refuses other methods and paths, and answers notifications with nothing', async () => {
    assert.equal((await fetch(server.url)).status, 405);
    assert.equal((await fetch(`${server.url}/admin`, { method: 'POST', body: '{}' })).status, 404);
    assert.equal((await fetch(server.url, { method: 'DELETE' })).status, 404);
    assert.equal((await post('{"jsonrpc":"2.0","method":"eth_chainId"}')).status, 204);
  });

  it('says what is wrong with bodies that are no JSON, empty, too large or cut off', async () => {
    for (const text of ['', '{"jsonrpc":', 'x']) {
      const answer: Answer = await (await post(text)).json();
      assert.equal(answer.error.code, -32700);
    }
    const response = await post(JSON.stringify({ ...CHAIN_ID_REQUEST, params: ['x'.repeat(BODY_BYTES_MAX)] }));
    assert.equal(response.status, 413);
    const { error } = (await response.json()) as Answer;
    assert.equal(error.code, -32600);
    assert.equal(error.message, `invalid request: body too large: at most ${BODY_BYTES_MAX} bytes`);
    const promised = connect(server.port, '127.0.0.1');
    promised.end('POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"json');
    await new Promise((resolve) => promised.once('close', resolve).resume());
    const garbage = connect(server.port, '127.0.0.1');
    garbage.end('\u0000\u0001\u0002 not HTTP at all\r\n\r\n');
    await new Promise((resolve) => garbage.once('close', resolve).resume());
    await assertAlive();
  });

  it('speaks the same over WebSocket, answers and news on one connection', async () => {
    const socket = await open();
    socket.send(JSON.stringify(CHAIN_ID_REQUEST));
    assert.equal(Number((await next(socket)).result), CHAIN_ID);
    socket.send('{');
    assert.equal((await next(socket)).error.code, -32700);
    socket.send(JSON.stringify({ ...CHAIN_ID_REQUEST, method: 'eth_subscribe', params: ['newHeads'] }));
    const { result: subscription } = await next(socket);
    const news = next(socket);
    const { hashHex } = await chain.mine();
    assert.deepEqual([(await news).params.subscription, (await news).params.result.hash], [subscription, `0x${hashHex}`]);
    socket.close();
    await closed(socket);
  });

  it('closes a WebSocket that sends an oversized or broken frame, and forgets its subscriptions', async () => {
    const listeners = chain.listenerCount;
    for (const misbehave of [
      (socket: WebSocket) => socket.send('x'.repeat(BODY_BYTES_MAX + 1)),
      (socket: WebSocket) => (socket as unknown as { _socket: NodeJS.WritableStream })._socket.write(Buffer.from([0xff, 0xff, 0xff])),
    ]) {
      const socket = await open();
      socket.on('error', () => {});
      socket.send(JSON.stringify({ ...CHAIN_ID_REQUEST, method: 'eth_subscribe', params: ['newHeads'] }));
      await next(socket);
      assert.equal(chain.listenerCount, listeners + 1);
      misbehave(socket);
      await closed(socket);
      for (let tries = 0; chain.listenerCount !== listeners && tries < 100; tries++)
        await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(chain.listenerCount, listeners);
    }
    await assertAlive();
  });

  it('closes a WebSocket whose client does not take its news', async () => {
    const socket = await open();
    socket.on('error', () => {});
    for (let n = 0; n < 4; n++) {
      socket.send(JSON.stringify({ ...CHAIN_ID_REQUEST, method: 'eth_subscribe', params: ['newHeads'] }));
      await next(socket);
    }
    socket.pause();
    for (let n = 0; n < 8000 && server.connectionCount() > 0; n++) {
      for (const listener of chain.headListeners()) listener(chain.head);
      if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const isClosed = closed(socket);
    socket.resume();
    assert.equal(await isClosed, 1008);
    await assertAlive();
  });

  it('serves viem and ethers over both transports', async () => {
    const socketUrl = server.url.replace('http', 'ws');
    for (const transport of [http(server.url), webSocket(socketUrl, { keepAlive: false, reconnect: false })]) {
      const client = createPublicClient({ transport, cacheTime: 0 });
      assert.equal(await client.getChainId(), CHAIN_ID);
      assert.equal((await client.getBlock()).number, BigInt(chain.head.header.number));
      const rpc = await (client.transport as Answer).getRpcClient?.();
      rpc?.close();
    }
    const overHttp = new JsonRpcProvider(server.url, undefined, { staticNetwork: true });
    const overSocket = new WebSocketProvider(socketUrl);
    for (const provider of [overHttp, overSocket]) {
      assert.equal((await provider.getNetwork()).chainId, BigInt(CHAIN_ID));
      assert.equal(await provider.getTransactionCount(alice.address), 0);
      assert.equal((await provider.getBlock('latest'))?.number, chain.head.header.number);
      await provider.destroy();
    }
  });

  it('shows system transactions in a form that ethers and viem read', async () => {
    const contract = await chain.deploy(SENDER_INIT_CODE);
    await chain.send(alice, { to: contract, value: 5n, data: `0x${'00'.repeat(12)}${'99'.repeat(20)}` });
    await chain.mine();
    const provider = new JsonRpcProvider(server.url, undefined, { staticNetwork: true });
    const block = await provider.getBlock('latest', true);
    const effect = block?.prefetchedTransactions[1];
    assert.deepEqual([effect?.type, effect?.value, (await effect?.wait())?.gasUsed], [0x7e, 5n, 0n]);
    provider.destroy();
    const client = createPublicClient({ transport: http(server.url) });
    const { transactions } = await client.getBlock({ includeTransactions: true });
    assert.deepEqual([transactions[1]?.typeHex, transactions[1]?.value], ['0x7e', 5n]);
    assert.equal((await client.getTransactionReceipt({ hash: transactions[1]?.hash as `0x${string}` })).status, 'success');
  });

  it('holds no more than a bound of requests that are slow to come, and goes on serving small ones', async () => {
    const small = await createRpcServer({
      ports: chain.ports,
      host: '127.0.0.1',
      port: 0,
      limits: { bodyBytesMax: 200_000, inboundBytesMax: 500_000 },
    });
    const post = (body: string) => fetch(small.url, { method: 'POST', body, signal: AbortSignal.timeout(10_000) });
    const large = JSON.stringify({ ...CHAIN_ID_REQUEST, padding: ' '.repeat(150_000) });
    // Two bodies that are announced and do not come, and two frames that stop before their end.
    const bodies = [connect(small.port, '127.0.0.1'), connect(small.port, '127.0.0.1')];
    for (const socket of bodies) socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n{');
    const frames = [0, 1].map(() => connect(small.port, '127.0.0.1'));
    for (const socket of frames) {
      socket.write('GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n');
      socket.write('sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n');
      await new Promise((resolve) => socket.once('data', resolve));
    }
    const isClosed = new Promise((resolve) => frames[1]?.once('close', resolve));
    for (const socket of frames) {
      socket.on('error', () => {});
      socket.write(Buffer.concat([Buffer.from('81ff0000000000030000', 'hex'), Buffer.alloc(4), Buffer.alloc(90_000, 0x20)]));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await isClosed;
    const refused = await post(large);
    assert.equal(refused.status, 503);
    const { error }: Answer = await refused.json();
    assert.equal(error.code, -32005);
    const answer: Answer = await (await post(JSON.stringify(CHAIN_ID_REQUEST))).json();
    assert.equal(Number(answer.result), CHAIN_ID);
    for (const socket of [...bodies, ...frames]) socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal((await post(large)).status, 200, 'what is given up is given back');
    await small.close();
  });

  it('answers everything that is pipelined on one connection, in order, though it reads only a few requests ahead', async () => {
    const requests = 60;
    const bodyOf = (id: number): string => JSON.stringify({ ...CHAIN_ID_REQUEST, id, padding: ' '.repeat(id % 3 === 0 ? 40_000 : 10) });
    const socket = connect(server.port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    for (let id = 0; id < requests; id++) {
      const body = bodyOf(id);
      socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    }
    const idsOf = (): number[] => [...text.matchAll(/"id":(\d+)/g)].map(([, id]) => Number(id));
    for (let waited = 0; waited < 100 && idsOf().length < requests; waited++) await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    assert.deepEqual(
      idsOf(),
      Array.from({ length: requests }, (_unused, id) => id),
    );
    await assertAlive();
  });

  it('says that its port is taken instead of starting', async () => {
    await assert.rejects(createRpcServer({ ports: chain.ports, host: '127.0.0.1', port: server.port }), { code: 'EADDRINUSE' });
  });

  it('lets nobody wait when it closes', async () => {
    const own = await createRpcServer({ ports: chain.ports, host: '127.0.0.1', port: 0 });
    const socket = new WebSocket(own.url.replace('http', 'ws'));
    await new Promise((resolve) => socket.once('open', resolve));
    const waiting = fetch(own.url, {
      method: 'POST',
      body: JSON.stringify({ ...CHAIN_ID_REQUEST, method: 'eth_sendRawTransactionSync', params: [await chain.sign(alice, {})] }),
    });
    for (let tries = 0; chain.mempool.status().pending === 0 && tries < 100; tries++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const ended = closed(socket);
    await own.close();
    await ended;
    await waiting.then((response) => response.text()).catch(() => undefined);
  });
});
