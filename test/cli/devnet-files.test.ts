// The folder of a devnet: what is in it, that it stays the same network between starts, and who has coins in it.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { mnemonicToAccount } from 'viem/accounts';
import { prepareDevnet, removeDevnet } from '../../src/cli/devnet-files.ts';
import { DEVNET_MNEMONIC, mnemonicAccounts } from '../../src/cli/mnemonic-accounts.ts';
import { parseDevnetLayout } from '../../src/cli/parse-option.ts';
import { keccak256Portable } from '../../src/core/crypto/keccak.ts';
import { bytesToHex, bytesToPrefixedHex } from '../../src/core/primitives/bytes.ts';
import { isError } from '../../src/core/primitives/errors.ts';
import { genesisRoot } from '../../src/core/protocol/genesis.ts';
import { readGenesisFile } from '../../src/node/genesis-file.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';

const crypto = selectCrypto({ disableNative: false });
const parent = mkdtempSync(join(tmpdir(), 'coppice-devnet-'));
after(() => rmSync(parent, { recursive: true, force: true }));
const choice = {
  folder: join(parent, 'net'),
  validators: undefined,
  loadAccounts: undefined,
  basePort: 8545,
  logLevel: 'info',
  crypto,
} as const;

describe('the accounts of the mnemonic', () => {
  it('are those that viem derives, in both branches', () => {
    for (const branch of [0, 1] as const) {
      const ours = mnemonicAccounts(branch, 3, 4, crypto.secp256k1);
      for (const [i, { address, privateKey }] of ours.entries()) {
        const theirs = mnemonicToAccount(DEVNET_MNEMONIC, { path: `m/44'/60'/${branch}'/0/${3 + i}` });
        assert.equal(address, theirs.address.toLowerCase());
        assert.equal(privateKey, bytesToPrefixedHex(theirs.getHdKey().privateKey ?? new Uint8Array()));
      }
    }
  });
});

describe('a devnet folder', () => {
  it('has four validators, ten funded accounts and the predeployed contracts, and stays the same network', () => {
    const directories = prepareDevnet(choice);
    assert.equal(directories.length, 4);
    const genesis = readGenesisFile(directories[3]?.genesisFile ?? '', crypto.bls);
    assert.equal(genesis.validators.length, 4);
    assert.equal(genesis.accounts.filter(({ balanceWei }) => balanceWei === 10_000n * 10n ** 18n).length, 10);
    const codeHashes = new Map(
      genesis.accounts
        .filter(({ code }) => code.length > 0)
        .map((each) => [bytesToHex(each.address), bytesToHex(keccak256Portable(each.code))]),
    );
    assert.equal(codeHashes.size, 18);
    // As on Ethereum mainnet (eth_getProof of these addresses there).
    assert.equal(
      codeHashes.get('4e59b44847b379578588920ca78fbf26c0b4956c'),
      '2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989',
    );
    assert.equal(
      codeHashes.get('ca11bde05977b3631167028862be2a173976ca11'),
      'd5c15df687b16f2ff992fc8d767b4216323184a2bbc6ee2f9c398c318e770891',
    );
    const root = genesisRoot(genesis);
    const again = prepareDevnet({ ...choice, basePort: 9_000 });
    assert.deepEqual(genesisRoot(readGenesisFile(again[0]?.genesisFile ?? '', crypto.bls)), root);
    const config = JSON.parse(readFileSync(again[1]?.configFile ?? '', 'utf8')) as {
      rpc: { port: number };
      p2p: { port: number; peers: string[] };
    };
    assert.equal(config.rpc.port, 9_001);
    assert.equal(config.p2p.port, 10_001);
    assert.match(config.p2p.peers.join(' '), /^\/ip4\/127\.0\.0\.1\/tcp\/10000\/p2p\/12D3\S+ \S+\/tcp\/10002\/\S+ \S+\/tcp\/10003\/\S+$/);
  });

  it('is none with a marker of no validators, or of more than a machine runs', () => {
    const folder = join(parent, 'marked');
    mkdirSync(folder);
    for (const validators of [0, -1, 33, 2 ** 40, 1.5]) {
      writeFileSync(join(folder, 'devnet.json'), JSON.stringify({ version: 1, validators, loadAccounts: 0 }));
      assert.throws(() => prepareDevnet({ ...choice, folder }), { code: 'config/invalid' }, `${validators}`);
    }
  });

  it('has one validator that follows all shards, and where committees are smaller than all, others that follow their own', () => {
    const followsOf = (seats: number | undefined, shards: number): readonly string[] => {
      const folder = mkdtempSync(join(parent, 'follow-'));
      const directories = prepareDevnet({ ...choice, folder, validators: 5, shards, committeeSeats: seats });
      return directories.map(({ configFile }) => (JSON.parse(readFileSync(configFile, 'utf8')) as { follow: string }).follow);
    };
    assert.deepEqual(followsOf(4, 2), ['all', 'own', 'own', 'own', 'own']);
    for (const [seats, shards] of [
      [undefined, 2],
      [5, 2],
      [4, 1],
    ] as const)
      assert.deepEqual(new Set(followsOf(seats, shards)), new Set(['all']));
  });

  it('has the layout that was asked for, and no other without a reset', () => {
    const folder = mkdtempSync(join(parent, 'layout-'));
    const [first] = prepareDevnet({ ...choice, folder, layout: [4, 5, 3] });
    assert.deepEqual(readGenesisFile(join(first?.path ?? '', 'genesis.json'), crypto.bls).layout, [4, 5, 3]);
    for (const same of [{}, { layout: [4, 5, 3] }]) assert.equal(prepareDevnet({ ...choice, folder, ...same }).length, 4);
    const refused = (detail: string) => (error: unknown) =>
      isError(error, 'config/invalid') && JSON.stringify(error.facts).includes(detail);
    assert.throws(() => prepareDevnet({ ...choice, folder, layout: [2, 6, 7] }), refused('made with 4,5,3; --reset'));
    assert.throws(() => prepareDevnet({ ...choice, folder, shards: 4 }), refused('--shards'));
    removeDevnet(folder);
    prepareDevnet({ ...choice, folder, shards: 2 });
    assert.equal(prepareDevnet({ ...choice, folder, layout: [2, 3] }).length, 4, 'said in the other way');
    assert.throws(() => prepareDevnet({ ...choice, folder, layout: [1] }), refused('made with 2,3'));
  });

  it('is not made with another number of validators without a reset', () => {
    assert.throws(() => prepareDevnet({ ...choice, validators: 5 }), /made with 4/);
    removeDevnet(choice.folder);
    assert.equal(prepareDevnet({ ...choice, validators: 5, loadAccounts: 20 }).length, 5);
    const genesis = readGenesisFile(join(choice.folder, 'validator-0/genesis.json'), crypto.bls);
    assert.equal(genesis.accounts.length, 18 + 10 + 20);
    assert.equal(genesis.parameters.committeeSeats, 5);
  });
});

describe('the layout of a devnet', () => {
  it('is the whole tree, whatever the order in which its shards are named', () => {
    for (const [text, layout] of [
      ['1', [1]],
      ['4,5,3', [4, 5, 3]],
      ['3, 5,4', [4, 5, 3]],
      ['2,6,14,15', [2, 6, 14, 15]],
    ] as const)
      assert.deepEqual(parseDevnetLayout(text), layout);
  });

  it('is refused with what is wrong and a right one', () => {
    for (const [text, said] of [
      ['4,3', /no shard covers subtree 5\. A whole one: 4,5,3\./],
      ['2', /no shard covers subtree 3\. A whole one: 2,3\./],
      ['2,4,3', /shard 4 is within 2\. A whole one: 2,3\./],
      ['4,4,5,3', /shard 4 is there twice\. A whole one: 4,5,3\./],
      ['131071', /no shard covers subtree 2\. A whole one: 4,5,3\./],
      ['', /ids of subtrees.*such as 4,5,3/],
      ['0,1', /ids of subtrees/],
      ['4,5,three', /ids of subtrees/],
      ['131072', /ids of subtrees/],
      [Array.from({ length: 17 }, (_unused, at) => at + 1).join(), /At most 16 shards/],
    ] as const)
      assert.throws(() => parseDevnetLayout(text), said, text);
  });
});
