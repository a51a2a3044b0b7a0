import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { protocolName, topicName, topicPrefix } from '../../src/network/topics.ts';

const GENESIS_ROOT = Uint8Array.from({ length: 32 }, (_unused, index) => index + 10);

describe('names on the wire', () => {
  it('carry four bytes of the genesis root, the chain and the kind', () => {
    assert.equal(topicName(GENESIS_ROOT, 0, 'consensus'), '/coppice/0a0b0c0d/0/consensus/1');
    assert.equal(topicName(GENESIS_ROOT, 5, 'transactions'), '/coppice/0a0b0c0d/5/transactions/1');
    assert.ok(topicName(GENESIS_ROOT, 1, 'evidence').startsWith(topicPrefix(GENESIS_ROOT)));
  });

  it('of protocols are short kebab-case', () => {
    assert.equal(protocolName('blocks-by-height'), '/coppice/blocks-by-height/1');
    for (const name of ['', 'Blocks', 'a/b', '1a', 'x'.repeat(33)]) assert.throws(() => protocolName(name));
  });
});
