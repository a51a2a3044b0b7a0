// What eth_call and eth_estimateGas say of code that ends before it is done.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { HALT_REASONS, type Halt } from '../../src/core/execution/halt-reason.ts';
import { haltText } from '../../src/rpc/halt-text.ts';
import { alice, bob, ChainFixture, carol, LOGGER_INIT_CODE } from './chain-fixture.ts';

describe('code that ends before it is done', () => {
  const chain = new ChainFixture();
  const AT = bob.address;
  const PUSHES = '5f'.repeat(1025);
  before(initialiseKeccak);

  for (const [what, code, message] of [
    ['an invalid opcode', 'fe', 'invalid opcode: INVALID'],
    ['an opcode that is not defined', '0c', 'invalid opcode: opcode 0xc not defined'],
    ['an undefined opcode among the system ones', 'ef', 'invalid opcode: opcode 0xef not defined'],
    ['an opcode of another fork', 'e0', 'invalid opcode: RJUMP'],
    ['a jump to no destination', '600056', 'invalid jump destination'],
    ['a sum of one item', '600101', 'stack underflow (1 <=> 2)'],
    ['a modular sum of two items', '6001600108', 'stack underflow (2 <=> 3)'],
    ['a call with nothing on the stack', 'f1', 'stack underflow (0 <=> 7)'],
    ['a DUP3 of two items', '5f5f82', 'stack underflow (2 <=> 3)'],
    ['a SWAP2 of two items', '5f5f91', 'stack underflow (2 <=> 3)'],
    ['a POP of nothing', '50', 'stack underflow (0 <=> 1)'],
    ['a tall stack', PUSHES, 'stack limit reached 1024 (1023)'],
    ['a tall stack of copies', `5f${'80'.repeat(1024)}`, 'stack limit reached 1024 (1023)'],
    ['an endless loop', '5b5f56', 'out of gas'],
    ['more memory than gas pays for', '5f630fffffff52', 'out of gas'],
    ['a memory offset beyond 64 bits', '5f5f1952', 'gas uint64 overflow'],
    ['return data that is not there', '60015f5f3e', 'return data out of bounds'],
    ['initcode that is too large', '61c0015f5ff0', 'max initcode size exceeded'],
  ] as const) {
    it(`says why, as geth does: ${what}`, async () => {
      const overrides = { [AT]: { code: `0x${code}` } };
      assert.deepEqual(await chain.error('eth_call', { to: AT, gas: '0x30d40' }, 'latest', overrides), { code: -32000, message });
      const estimate = await chain.error('eth_estimateGas', { to: AT, gas: '0x30d40' }, 'latest', overrides);
      const expected = message === 'out of gas' ? 'gas required exceeds allowance (200000)' : message;
      assert.deepEqual(estimate, { code: -32000, message: expected });
    });
  }

  for (const [what, data, message] of [
    ['too long', '0x6160015ff3', 'max code size exceeded'],
    ['that begins with 0xef', '0x60ef5f5360015ff3', 'invalid code: must not begin with 0xef'],
    ['too dear for the gas', '0x6160005ff3', 'contract creation code storage out of gas'],
  ] as const) {
    it(`says why, as geth does: code ${what}`, async () => {
      const call = { from: alice.address, data, gas: '0x186a00' };
      assert.deepEqual(await chain.error('eth_call', call), { code: -32000, message });
      assert.deepEqual(await chain.error('eth_estimateGas', call), { code: -32000, message });
    });
  }

  it('says why, as geth does: a creation where a contract is, one that cannot pay its pointer, and one with too much initcode', async () => {
    const deployed = new ChainFixture();
    await deployed.deploy(LOGGER_INIT_CODE);
    const again = { from: alice.address, data: '0x00', nonce: '0x0' };
    for (const method of ['eth_call', 'eth_estimateGas'])
      assert.equal((await deployed.error(method, again)).message, 'contract address collision');
    assert.equal((await chain.error('eth_call', { from: alice.address, data: '0x00', gas: '0xd000' })).message, 'out of gas');
    const data = `0x${'00'.repeat(49_153)}`;
    for (const method of ['eth_call', 'eth_estimateGas'])
      assert.equal((await chain.error(method, { from: alice.address, data })).message, 'max initcode size exceeded');
  });

  it('is the outermost frame: what a callee ran into is its caller’s to say', async () => {
    const overrides = {
      [AT]: { code: `0x5f5f5f5f5f73${carol.address.slice(2)}5af1600101fe` },
      [carol.address]: { code: '0x600056' },
    };
    assert.equal((await chain.error('eth_call', { to: AT }, 'latest', overrides)).message, 'invalid opcode: INVALID');
  });

  it('has a text for every reason', () => {
    for (const reason of HALT_REASONS) {
      const halt = { reason, opcode: 0xfe, have: 0, need: 1 } as Halt;
      assert.match(haltText(halt), /^[a-z]/);
    }
    assert.equal(haltText({ reason: 'write-protection' }), 'write protection');
  });
});
