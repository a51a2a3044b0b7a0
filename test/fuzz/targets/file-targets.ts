// What operators write: files, options and environment variables. The real readers read them, and whatever is wrong is the one error that its
// command ends with: one line, exit code 1 (src/cli/main.ts ends so with every error, and explains it as is asserted here).
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { prepareDevnet } from '../../../src/cli/devnet-files.ts';
import { explainError } from '../../../src/cli/explain-error.ts';
import { addInitCommand } from '../../../src/cli/init.ts';
import {
  collectPeer,
  parseAddress,
  parseBasePort,
  parseCount,
  parseDevnetLayout,
  parseDevnetShards,
  parseFactor,
  parseNumber,
  parsePercentages,
  parseProbability,
  parseShards,
  parseValidators,
} from '../../../src/cli/parse-option.ts';
import { bytesToHex, bytesToPrefixedHex, hex } from '../../../src/core/primitives/bytes.ts';
import { CoppiceError } from '../../../src/core/primitives/errors.ts';
import { decimalOf, type Fraction } from '../../../src/core/primitives/fraction.ts';
import { ROOT_SHARD } from '../../../src/core/primitives/ids.ts';
import { genesisRoot } from '../../../src/core/protocol/genesis.ts';
import { uncoveredBy } from '../../../src/core/protocol/shard-id.ts';
import { peerNameOfPublicKey } from '../../../src/network/peer-name.ts';
import { CONFIG_SETTINGS, environmentName, makeConfig, resolveConfig } from '../../../src/node/config.ts';
import { makeGenesisText } from '../../../src/node/create-network.ts';
import { parseGenesis, predeployedAccounts, readGenesisFile, readPreset } from '../../../src/node/genesis-file.ts';
import { faultOfPeerAddress, parsePeerAddress } from '../../../src/node/peer-address.ts';
import { createSeedFile, genesisEntryOf, readValidatorKeys } from '../../../src/node/validator-seed.ts';
import { selectCrypto } from '../../../src/runtime/native/select-crypto.ts';

import { dataDirectoryAt } from '../../../src/storage/data-directory.ts';
import { type FuzzTarget, refusal } from '../target.ts';
import { spoiledJson, TEXT_WORDS, textOf, textToBytes } from './json-values.ts';
import { bytesOf } from './values.ts';

const LINE_CHARACTERS_MAX = 1_001;
const folder = mkdtempSync(join(tmpdir(), 'coppice-fuzz-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const crypto = selectCrypto({ disableNative: false });
const { bls } = crypto;
const PEER_NAME = peerNameOfPublicKey(new Uint8Array(32).fill(0x20));
const HOSTS = ['/ip4/192.0.2.1', '/ip6/::1', '/dns4/a.example', '/dns/node_2', '/ip4/999.1.1.1', '/ip6/x'];

const config: FuzzTarget = {
  name: 'config-file',
  covers: ['node/config#resolveConfig', 'node/config#makeConfig'],
  executions: 1_500,
  words: TEXT_WORDS,
  generatedShare: 0.6,
  generate(random) {
    const whole = makeConfig({
      version: 1,
      rpc: { host: random.pick(['127.0.0.1', '::1', 'a.example']), port: random.integer(0, 65_536) },
      p2p: {
        peers: Array.from({ length: random.integer(0, 3) }, () => `/ip4/192.0.2.1/tcp/${random.integer(1, 65_536)}/p2p/${PEER_NAME}`),
      },
      history: random.chance(0.5) ? { mode: 'archive' } : { mode: 'full', stateBlocks: random.integer(64, 2 ** 20) },
    });
    const text = JSON.stringify(whole);
    assert.deepEqual(resolveConfig({ path: 'config.json', text }, {}, {}), whole);
    return textToBytes(JSON.stringify(random.chance(0.5) ? whole : spoiledJson(whole, random)));
  },
  judge: (bytes) => {
    const text = textOf(bytes);
    const label = judgeReader(() => {
      const read = resolveConfig({ path: 'config.json', text }, {}, {});
      assert.deepEqual(
        resolveConfig({ path: 'config.json', text: JSON.stringify(read) }, {}, {}),
        read,
        'what is read, written and read is the same',
      );
    });
    // The same text in place of a flag and of an environment variable.
    const setting = CONFIG_SETTINGS[bytes.length % CONFIG_SETTINGS.length] as (typeof CONFIG_SETTINGS)[number];
    const file = { path: 'config.json', text: '{"version":1}' };
    judgeReader(() => resolveConfig(file, {}, { [setting.flag]: text }));
    judgeReader(() => resolveConfig(file, { [environmentName(setting.flag)]: text }, {}));
    return label;
  },
};

const genesis: FuzzTarget = {
  name: 'genesis-file',
  covers: [
    'node/genesis-file#parseGenesis',
    'node/genesis-file#readGenesisFile',
    'node/genesis-file#readPreset',
    'core/protocol/genesis#checkGenesis',
  ],
  executions: 250,
  words: TEXT_WORDS,
  generatedShare: 0.6,
  generate(random) {
    const content = JSON.parse(GENESIS_TEXT) as Record<string, unknown>;
    content['timestampMs'] = random.integer(0, 2 ** 45);
    const text = JSON.stringify(content);
    const read = parseGenesis('genesis.json', text, bls);
    assert.equal(read.timestampMs, content['timestampMs']);
    assert.equal(genesisRoot(read).length, 32);
    return textToBytes(random.chance(0.3) ? text : JSON.stringify(spoiledJson(content, random)));
  },
  judge(bytes) {
    const path = join(folder, 'genesis.json');
    writeFileSync(path, bytes);
    return judgeReader(() => {
      const read = readGenesisFile(path, bls);
      assert.equal(genesisRoot(read).length, 32, 'what is accepted can be committed');
      assert.deepEqual(readPreset('devnet').evmChainId, readPreset('devnet').evmChainId);
    });
  },
};

const seedFile: FuzzTarget = {
  name: 'seed-file',
  covers: ['node/validator-seed#readValidatorKeys'],
  executions: 250,
  words: [textToBytes('0x'), textToBytes('\n'), textToBytes('G')],
  generate: (random) => textToBytes(`${random.chance(0.2) ? '0x' : ''}${bytesToHex(bytesOf(random, 32))}\n`),
  judge(bytes) {
    const directory = dataDirectoryAt(folder);
    mkdirSync(dirname(directory.seedFile), { recursive: true });
    writeFileSync(directory.seedFile, bytes);
    return judgeReader(() => {
      const keys = readValidatorKeys(directory);
      assert.equal(keys.blsSecretKey.length, 32);
      assert.match(textOf(bytes), /^\s*(?:0x)?[0-9a-fA-F]{64}\s*$/, 'a seed is 32 bytes and nothing else');
    });
  },
};

const peerAddress: FuzzTarget = {
  name: 'peer-address',
  covers: ['node/peer-address#faultOfPeerAddress', 'node/peer-address#parsePeerAddress', 'cli/parse-option#collectPeer'],
  executions: 4_000,
  words: [...HOSTS, '/tcp/', '/p2p/', '00', '/'].map(textToBytes),
  generate: (random) => textToBytes(`${random.pick(HOSTS)}/tcp/${random.integer(0, 70_000)}/p2p/${PEER_NAME}`),
  judge(bytes) {
    const text = textOf(bytes);
    const option = judgeReader(() => collectPeer(text, []));
    const fault = faultOfPeerAddress(text);
    assert.equal(option === 'read', fault === undefined, 'an option and a file take the same addresses');
    if (fault !== undefined) return refusal('address', fault);
    const { host, port, peerId } = parsePeerAddress(text);
    assert.ok(
      text.includes(`/${host}/`) && text.endsWith(`/tcp/${port}/p2p/${peerId}`),
      'an address is made of its parts, in their one spelling',
    );
    assert.ok(port >= 1 && port <= 65_535);
    return 'read';
  },
};

const OPTION_PARSERS = { parseCount, parseNumber, parseBasePort, parseShards, parseDevnetShards, parseValidators } as const;

/** Readers of decimal numbers, each with the most that it may give. */
const DECIMAL_PARSERS: Readonly<Record<string, readonly [(text: string) => readonly Fraction[], number]>> = {
  parsePercentages: [parsePercentages, 100],
  parseProbability: [(text) => [parseProbability(text)], 1],
  parseFactor: [(text) => [parseFactor(text)], 1_000],
};

const decimals: FuzzTarget = {
  name: 'decimal-options',
  covers: Object.keys(DECIMAL_PARSERS).map((name) => `cli/parse-option#${name}`),
  executions: 2_000,
  words: ['e-', 'E', '.', ',', '0', '1e999', '-1', '+1', '0x1', '٣', ' ', 'Infinity', 'NaN'].map(textToBytes),
  generate(random) {
    const number = (): string =>
      `${random.integer(0, 101)}${random.chance(0.5) ? `.${random.integer(0, 999)}` : ''}${random.chance(0.3) ? `e-${random.integer(0, 9)}` : ''}`;
    return textToBytes(Array.from({ length: random.integer(1, 3) }, number).join(','));
  },
  judge(bytes) {
    const text = textOf(bytes);
    const read = Object.entries(DECIMAL_PARSERS).filter(([name, [parse, most]]) => {
      const label = judgeReader(() => {
        const values = text.split(',').map(Number);
        for (const [index, { numerator, denominator }] of parse(text).entries()) {
          assert.ok(numerator >= 0n && denominator > 0n && numerator <= BigInt(most) * denominator, `${name} keeps its bounds`);
          const [given, written] = [Number(decimalOf({ numerator, denominator }, 17)), values[index] as number];
          assert.ok(Math.abs(given - written) <= 1e-15 * written, `${name} gives the number that was written`);
        }
      });
      return label === 'read';
    });
    return read.length === 0 ? 'no decimal' : read.map(([name]) => name).join(', ');
  },
};

const options: FuzzTarget = {
  name: 'command-options',
  covers: [...Object.keys(OPTION_PARSERS), 'parseAddress', 'parseDevnetLayout'].map((name) => `cli/parse-option#${name}`),
  executions: 2_000,
  words: ['0x', '4,5,3', ',', '1e3', '-1', '+1', '0b1', '1_0', '٣', ' ', 'Infinity', 'NaN'].map(textToBytes),
  generate: (random) => textToBytes(random.chance(0.4) ? bytesToPrefixedHex(bytesOf(random, 20)) : String(random.integer(0, 2 ** 22))),
  judge(bytes) {
    const text = textOf(bytes);
    const labels = Object.entries(OPTION_PARSERS).map(([name, parse]) => {
      const label = judgeReader(() => {
        const number = parse(text);
        assert.ok(Number.isSafeInteger(number) && number >= 0, `${name} gives a whole number`);
        assert.equal(number.toString(), text.replace(/^0+(?=\d)/, ''), `${name} gives the number that was written`);
      });
      return label === 'read' ? name : '';
    });
    judgeReader(() => assert.deepEqual(uncoveredBy(ROOT_SHARD, parseDevnetLayout(text)), [], 'a layout is the whole tree'));
    const address = judgeReader(() => assert.equal(hex(parseAddress(text)).length, 20));
    return address === 'read' ? 'an address' : `a number for ${labels.filter((name) => name !== '').join(', ') || 'none'}`;
  },
};

const devnetMarker: FuzzTarget = {
  name: 'devnet-marker',
  covers: ['cli/devnet-files#prepareDevnet'],
  executions: 200,
  words: TEXT_WORDS,
  generatedShare: 0.6,
  generate(random) {
    const marker = { version: 1, validators: random.integer(1, 33), loadAccounts: random.integer(0, 2 ** 21) };
    return textToBytes(JSON.stringify(random.chance(0.3) ? marker : spoiledJson(marker, random)));
  },
  judge(bytes) {
    const path = join(folder, 'devnet');
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'devnet.json'), bytes);
    const choice = {
      folder: path,
      validators: undefined,
      shards: undefined,
      loadAccounts: undefined,
      basePort: 30_000,
      logLevel: 'silent',
      crypto,
    } as const;
    // There are no validators in the folder: what is read is missed.
    const label = judgeReader(() => prepareDevnet(choice));
    assert.notEqual(label, 'read');
    return label;
  },
};

const validatorEntry: FuzzTarget = {
  name: 'validator-entry',
  covers: ['cli/init#addInitCommand', 'node/create-network#makeGenesisText'],
  executions: 120,
  words: TEXT_WORDS,
  generatedShare: 0.7,
  generate(random) {
    const [entry] = (JSON.parse(GENESIS_TEXT) as { validators: unknown[] }).validators;
    return textToBytes(JSON.stringify(random.chance(0.3) ? entry : spoiledJson(entry, random)));
  },
  async judge(bytes) {
    const [path, made] = [join(folder, 'entry.json'), join(folder, 'made')];
    writeFileSync(path, bytes);
    const program = new Command().exitOverride().configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
    addInitCommand(program);
    const { write } = process.stdout;
    process.stdout.write = ((text: string) => text.startsWith('made ') || write.call(process.stdout, text)) as typeof write;
    try {
      await program.parseAsync(['node', 'coppice', 'init', '--data-dir', made, '--validator', path]);
      return judgeReader(() => assert.equal(readGenesisFile(join(made, 'genesis.json'), bls).validators.length, 1));
    } catch (error) {
      assert.equal(existsSync(made), false, 'what is refused leaves nothing behind');
      return judgeReader(() => {
        throw error;
      });
    } finally {
      process.stdout.write = write;
      rmSync(made, { recursive: true, force: true });
    }
  },
};

/** See the file's head. */
export const FILE_TARGETS: readonly FuzzTarget[] = [
  config,
  genesis,
  seedFile,
  peerAddress,
  options,
  decimals,
  devnetMarker,
  validatorEntry,
];

const GENESIS_TEXT = makeGenesis();

function makeGenesis(): string {
  const directory = dataDirectoryAt(join(folder, 'validator'));
  createSeedFile(directory);
  const entry = genesisEntryOf(readValidatorKeys(directory), `0x${'11'.repeat(20)}`, 1, bls);
  const [first] = predeployedAccounts();
  return makeGenesisText(
    {
      preset: 'devnet',
      overrides: { committeeSeats: 1 },
      validators: [entry],
      accounts: [
        { address: `0x${'22'.repeat(20)}`, balanceWei: '1000' },
        { address: `0x${'33'.repeat(20)}`, code: first?.code ?? '0x00', storage: { [`0x${'00'.repeat(31)}01`]: `0x${'44'.repeat(32)}` } },
      ],
      timestampMs: 1_700_000_000_000,
    },
    bls,
  );
}

/** Runs a reader; an error is one that its command explains in one line that a terminal shows as it is. */
function judgeReader(read: () => unknown): string {
  try {
    read();
    return 'read';
  } catch (error) {
    if (!(error instanceof CoppiceError) && !(error instanceof InvalidArgumentError)) throw error;
    if (error instanceof InvalidArgumentError) return refusal('option', error.message);
    const line = explainError(error);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through.
    assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/, 'an error is one line, and controls no terminal');
    assert.ok(line.length <= LINE_CHARACTERS_MAX, `an error of ${line.length} characters is no clear line`);
    return refusal(String(error.code), line.replaceAll(folder, ''));
  }
}
