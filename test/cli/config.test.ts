// Configuration: which source wins, and that a mistake is named with its source.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explainError } from '../../src/cli/explain-error.ts';
import { CoppiceError } from '../../src/core/primitives/errors.ts';
import { resolveConfig } from '../../src/node/config.ts';

const file = (content: object) => ({ path: 'config.json', text: JSON.stringify({ version: 1, ...content }) });

describe('the configuration', () => {
  it('takes a flag before an environment variable, that before the file, and that before the default', () => {
    const all = resolveConfig(file({ rpc: { port: 1 } }), { COPPICE_RPC_PORT: '2', COPPICE_P2P_PORT: '5' }, { 'rpc-port': '3' });
    assert.deepEqual([all.rpc.port, all.p2p.port, all.metrics.port], [3, 5, 10_545]);
    assert.equal(resolveConfig(file({ rpc: { port: 1 } }), { COPPICE_RPC_PORT: '2' }, {}).rpc.port, 2);
    assert.equal(resolveConfig(file({ rpc: { port: 1 } }), { COPPICE_RPC_PORT: '' }, {}).rpc.port, 1);
    assert.equal(resolveConfig(file({}), {}, {}).rpc.host, '127.0.0.1');
    assert.deepEqual(resolveConfig(file({}), { COPPICE_PEERS: '/a,/b' }, {}).p2p.peers, ['/a', '/b']);
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
    const fault = (...input: Parameters<typeof resolveConfig>): string => {
      try {
        resolveConfig(...input);
        return 'accepted';
      } catch (error) {
        return explainError(error);
      }
    };
    assert.match(fault(file({ rcp: {} }), {}, {}), /config\.json is not a valid configuration: the whole: .*rcp/);
    assert.match(fault(file({}), { COPPICE_RPC_PORT: '70000' }, {}), /COPPICE_RPC_PORT .*rpc\.port/);
    assert.match(fault(file({}), {}, { 'log-level': 'loud' }), /--log-level .*log\.level/);
    assert.match(fault(file({}), { COPPICE_PORTABLE_CRYPTO: 'maybe' }, {}), /neither 1 nor 0/);
    assert.match(fault({ path: 'config.json', text: '{' }, {}, {}), /config\.json is not a valid configuration/);
  });
});

describe('an error is explained in one line', () => {
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

  it('when nothing is known of it, by the first line of its message', () => {
    assert.equal(explainError(new Error('first\nsecond')), 'first');
    assert.equal(explainError('text'), 'text');
  });
});
