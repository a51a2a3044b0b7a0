// Configuration: which source wins, and that a mistake is named with its source.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { explainError, explainUsage } from '../../src/cli/explain-error.ts';
import { CoppiceError } from '../../src/core/primitives/errors.ts';
import { peerNameOfPublicKey } from '../../src/network/peer-name.ts';
import { resolveConfig } from '../../src/node/config.ts';

const PEER_ID = peerNameOfPublicKey(ed25519.getPublicKey(new Uint8Array(32)));
const PEERS = [`/ip4/192.0.2.1/tcp/9545/p2p/${PEER_ID}`, `/ip6/::1/tcp/1/p2p/${PEER_ID}`, `/dns/node_2.example/tcp/65535/p2p/${PEER_ID}`];

const fault = (...input: Parameters<typeof resolveConfig>): string => {
  try {
    resolveConfig(...input);
    return 'accepted';
  } catch (error) {
    return explainError(error);
  }
};

const file = (content: object) => ({ path: 'config.json', text: JSON.stringify({ version: 1, ...content }) });

describe('the configuration', () => {
  it('takes a flag before an environment variable, that before the file, and that before the default', () => {
    const all = resolveConfig(file({ rpc: { port: 1 } }), { COPPICE_RPC_PORT: '2', COPPICE_P2P_PORT: '5' }, { 'rpc-port': '3' });
    assert.deepEqual([all.rpc.port, all.p2p.port, all.metrics.port], [3, 5, 10_545]);
    assert.equal(resolveConfig(file({ rpc: { port: 1 } }), { COPPICE_RPC_PORT: '2' }, {}).rpc.port, 2);
    assert.equal(resolveConfig(file({ rpc: { port: 1 } }), { COPPICE_RPC_PORT: '' }, {}).rpc.port, 1);
    assert.equal(resolveConfig(file({}), {}, {}).rpc.host, '127.0.0.1');
    assert.deepEqual(resolveConfig(file({}), { COPPICE_PEERS: PEERS.join(',') }, {}).p2p.peers, PEERS);
    assert.equal(resolveConfig(file({}), { COPPICE_PORTABLE_CRYPTO: '1' }, {}).portableCrypto, true);
  });

  it('keeps the states of a window of blocks, or of all, as the operator chooses', () => {
    assert.deepEqual(resolveConfig(file({}), {}, {}).history, { mode: 'full' });
    assert.deepEqual(resolveConfig(file({ history: { stateBlocks: 4096 } }), { COPPICE_HISTORY: 'archive' }, {}).history, {
      mode: 'archive',
      stateBlocks: 4096,
    });
    assert.deepEqual(resolveConfig(file({}), {}, { 'history-blocks': '100' }).history, { mode: 'full', stateBlocks: 100 });
    assert.throws(() => resolveConfig(file({}), {}, { 'history-blocks': '63' }), { code: 'config/invalid' });
    assert.throws(() => resolveConfig(file({ history: { mode: 'some' } }), {}, {}), { code: 'config/invalid' });
  });

  it('names the source and the field of a mistake', () => {
    assert.match(fault(file({ rcp: {} }), {}, {}), /config\.json is not a valid configuration: the whole: .*rcp/);
    assert.match(fault(file({}), { COPPICE_RPC_PORT: '70000' }, {}), /COPPICE_RPC_PORT .*rpc\.port/);
    assert.match(fault(file({}), {}, { 'log-level': 'loud' }), /--log-level .*log\.level/);
    assert.match(fault(file({}), { COPPICE_PORTABLE_CRYPTO: 'maybe' }, {}), /neither 1 nor 0/);
    assert.match(fault({ path: 'config.json', text: '{' }, {}, {}), /config\.json is not a valid configuration/);
  });

  it('refuses an address of a peer that could not be dialled, and shows a right one', () => {
    const example = '.* it must be like /ip4/192\\.0\\.2\\.1/tcp/9545/p2p/12D3KooW';
    const otherSpelling = 'bafzaajaiaejc';
    const rsaId = 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N';
    for (const [address, what] of [
      ['nonsense', 'is no address of a peer'],
      ['/ip4/192.0.2.1/tcp/9545', 'is no address of a peer'],
      [`/ip4/999.2.3.4/tcp/9545/p2p/${PEER_ID}`, 'has no valid ip4 host'],
      [`/ip6/192.0.2.1/tcp/9545/p2p/${PEER_ID}`, 'has no valid ip6 host'],
      [`/ip4/192.0.2.1/tcp/70000/p2p/${PEER_ID}`, 'has no valid port'],
      [`/ip4/192.0.2.1/tcp/0/p2p/${PEER_ID}`, 'has no valid port'],
      [`/ip4/192.0.2.1/tcp/9545/p2p/${PEER_ID.slice(0, -1)}`, 'has no valid peer id'],
      [`/ip4/192.0.2.1/tcp/9545/p2p/${otherSpelling}`, 'has no valid peer id'],
      [`/ip4/192.0.2.1/tcp/9545/p2p/${rsaId}`, 'has no valid peer id'],
    ] as const) {
      const said = new RegExp(`is not a valid configuration: p2p\\.peers\\.1: "${address}" ${what}:${example}`);
      assert.match(fault(file({ p2p: { peers: [PEERS[0], address] } }), {}, {}), said);
      assert.match(fault(file({}), {}, { peers: `${PEERS[0]},${address}` }), said);
    }
  });
});

describe('an error is explained in one line', () => {
  it('of bounded length, whatever stands in the file that it quotes', () => {
    assert.match(
      fault({ path: 'config.json', text: '{\n  "version": one\n}' }, {}, {}),
      /^config\.json is not .* "version": one } ?.* JSON$/,
    );
    const said = fault(file({ '\u001b[2J\u202e\n': 1, ['x'.repeat(10_000)]: 1 }), {}, {});
    assert.match(said, /\\u001b\[2J\\u202e /);
    assert.doesNotMatch(said, /\p{Cc}/u);
    assert.ok(said.length <= 1_001, `${said.length} characters`);
  });

  it('when a port is in use, however deep a library wrapped it', () => {
    const error = new Error('could not listen', {
      cause: new AggregateError([Object.assign(new Error('x'), { code: 'EADDRINUSE', port: 8545 })]),
    });
    assert.equal(explainError(error), 'port 8545 is in use by another process');
    assert.equal(
      explainError(new Error('listen EADDRINUSE: address already in use 127.0.0.1:9545')),
      'port 9545 is in use by another process',
    );
  });

  it('when a database is locked, corrupt or of another network', () => {
    assert.equal(
      explainError(new CoppiceError('storage/locked', { path: '/d/LOCK', holder: 'process 7' })),
      '/d/LOCK is in use by another process (process 7)',
    );
    assert.match(
      explainError(new CoppiceError('storage/foreign', { path: '/d/db', expected: 'network a', found: 'network b' })),
      /expected network a, found network b/,
    );
    assert.match(explainError(new CoppiceError('storage/corrupt', { path: '/d/db', detail: 'wrong checksum' })), /corrupt: wrong checksum/);
  });

  it('when a validator of a devnet cannot listen, by what its starter can set', () => {
    const facts = { service: 'p2p', host: '127.0.0.1', port: 7, isOfDevnet: true };
    assert.equal(
      explainError(new CoppiceError('node/cannot-listen', { ...facts, detail: 'listen EADDRINUSE: address already in use' })),
      'port 7 is in use by another process: end that one, or choose other ports with --base-port',
    );
    assert.equal(
      explainError(new CoppiceError('node/cannot-listen', { ...facts, detail: 'listen EACCES: permission denied' })),
      'p2p cannot listen on host 127.0.0.1, port 7: this user may not use the port; choose other ports with --base-port',
    );
  });

  it('when a command line makes no sense, in one line that controls no terminal', () => {
    assert.equal(
      explainUsage("error: unknown command 'n\u001bod\n'\n(Did you mean node?)\n"),
      "unknown command 'n\\u001bod ' (Did you mean node?) (coppice --help, or coppice <command> --help, says what there is)",
    );
    assert.match(
      explainUsage("error: option '--seats <number>' is invalid. It must be at least 1.\n"),
      /^option .* at least 1 \(coppice --help/,
    );
  });

  it('when a node cannot listen where it was told to, however the operating system says so', () => {
    const explain = (detail: string): string =>
      explainError(new CoppiceError('node/cannot-listen', { service: 'p2p', host: 'h', port: 7, detail }));
    const advice = 'set p2p.host and p2p.port in config.json, or --p2p-host and --p2p-port';
    assert.equal(
      explain('Unsupported:\n\n /ip4/h/tcp/7: Error: listen EADDRINUSE: address already in use h:7'),
      'port 7 is in use by another process: end that one, or set p2p.port in config.json, or --p2p-port',
    );
    for (const [detail, why] of [
      ['Unsupported:\n\n /dns4/h/tcp/7: Error: getaddrinfo ENOTFOUND h\n at x', 'no name server knows the host'],
      ['Error: getaddrinfo EAI_AGAIN h', 'the name of the host cannot be looked up now'],
      ['Error: listen EADDRNOTAVAIL: address not available h:7', 'the host is no address of this machine'],
      ['Error: listen EACCES: permission denied h:7', 'this user may not use the port'],
      ['Error: something else\n at x', 'Error: something else'],
    ] as const) {
      assert.equal(explain(detail), `p2p cannot listen on host h, port 7: ${why}; ${advice}`);
    }
  });

  it('when nothing is known of it, by the first line of its message', () => {
    assert.equal(explainError(new Error('first\nsecond')), 'first');
    assert.equal(explainError('text'), 'text');
  });
});
