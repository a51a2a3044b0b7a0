// A validator that signs twice, on a real devnet: its process is gone, and who stole its key speaks in its name over libp2p. Every honest
// node must store the evidence, count it, and give it out in a form that `coppice evidence verify` accepts.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { decodeEvidence, encodeEvidence } from '../../src/core/consensus/evidence/evidence.ts';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { deriveValidatorKeys, type ValidatorKeys } from '../../src/core/crypto/validator-keys.ts';
import { bytesToHex, hex } from '../../src/core/primitives/bytes.ts';
import { ROOT_SHARD } from '../../src/core/primitives/ids.ts';
import { type Genesis, genesisRoot } from '../../src/core/protocol/genesis.ts';
import { packMessages } from '../../src/network/coalesce.ts';
import { createLibp2pNetwork, type Libp2pNetwork } from '../../src/network/host.ts';
import { peerNameOfPublicKey } from '../../src/network/peer-name.ts';
import { topicName, topicPrefix } from '../../src/network/topics.ts';
import { readGenesisFile } from '../../src/node/genesis-file.ts';
import { instancesOfGenesis } from '../../src/node/genesis-instances.ts';
import { type ConsensusMessage, encodeConsensusMessage } from '../../src/runtime/consensus-codec.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { createSigner } from '../../src/runtime/signer.ts';
import { type Devnet, MAIN_FILE, startDevnet } from '../system/devnet-fixture.ts';
import { pause, realTiming, until } from '../system/network-fixture.ts';

const P2P_OFFSET = 1_000;
const METRICS_OFFSET = 2_000;
const THIEF = 3;
const HONEST = [0, 1, 2];
const FOUND_MS_MAX = 30_000;

interface Listed {
  readonly id: string;
  readonly kind: string;
  readonly validators: readonly string[];
  readonly encoded: `0x${string}`;
}

describe('a validator that signs twice', () => {
  const crypto = selectCrypto({ disableNative: false });
  let devnet: Devnet;
  let genesisFile: string;
  let genesis: Genesis;
  let thief: ValidatorKeys;
  let network: Libp2pNetwork;

  before(async () => {
    await initialiseKeccak();
    devnet = await startDevnet();
    const folder = devnet.validators[THIEF]?.dataDir ?? '';
    genesisFile = join(folder, 'genesis.json');
    genesis = readGenesisFile(genesisFile, crypto.bls);
    thief = deriveValidatorKeys(hex(readFileSync(join(folder, 'keys/validator.seed'), 'utf8').trim()));
    process.kill(devnet.validators[THIEF]?.pid ?? 0, 'SIGKILL');
    const names = genesis.validators.map(({ peerKey }) => peerNameOfPublicKey(peerKey));
    assert.equal(names[THIEF], peerNameOfPublicKey(ed25519.getPublicKey(thief.peerSeed)));
    const root = genesisRoot(genesis);
    network = await createLibp2pNetwork({
      peerSeed: thief.peerSeed,
      listenAddress: { host: '127.0.0.1', port: 0 },
      peers: HONEST.map((validator) => ({
        peerId: names[validator] as string,
        host: '127.0.0.1',
        port: devnet.basePort + P2P_OFFSET + validator,
      })),
      networkPrefix: topicPrefix(root),
      timing: realTiming,
      random: Math.random,
      log: () => undefined,
    });
    network.pubSub.subscribe(topicName(root, ROOT_SHARD, 'consensus'), () => 'ignore');
    await until(() => network.peers.connected().length === HONEST.length, 'the thief is let in', 60_000);
  });

  after(async () => {
    await network?.close();
    await devnet?.remove();
  });

  async function ask(validator: number, method: string, params: readonly unknown[]): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const response = await fetch(devnet.rpc[validator] ?? '', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return ((await response.json()) as { result: unknown }).result;
  }

  const evidenceOf = async (validator: number): Promise<readonly Listed[]> =>
    (await ask(validator, 'coppice_getEvidence', ['0x1'])) as readonly Listed[];

  async function signTwice(): Promise<void> {
    const [, instance] = await instancesOfGenesis(genesis);
    assert.ok(instance !== undefined);
    const signer = createSigner(crypto, { validator: THIEF, ...thief }, instance);
    const { round, height } = (await ask(0, 'coppice_getShardHead', ['0x1'])) as { round: string; height: string };
    const messages = [1, 2].map((fill): ConsensusMessage => {
      const point = { height: Number(height) + 1, round: Number(round) + 2, blockHash: new Uint8Array(32).fill(fill) };
      return { kind: 'vote', vote: { instanceId: instance.instanceId, point, validator: THIEF, signature: signer.signVote(point) } };
    });
    const topic = topicName(instance.genesisRoot, ROOT_SHARD, 'consensus');
    for (const message of messages) await network.pubSub.publish(topic, packMessages([encodeConsensusMessage(message)]));
  }

  const verify = (content: string | Uint8Array, genesisOf = genesisFile): ReturnType<typeof spawnSync> => {
    const file = join(devnet.folder, 'evidence');
    writeFileSync(file, content);
    return spawnSync(process.execPath, [MAIN_FILE, 'evidence', 'verify', file, '--genesis', genesisOf], {
      encoding: 'utf8',
      timeout: 60_000,
    });
  };

  it('is proved guilty on every honest node, and counted', async () => {
    for (const validator of HONEST) assert.deepEqual(await evidenceOf(validator), []);
    const deadlineMs = Date.now() + FOUND_MS_MAX;
    let found: readonly (readonly Listed[])[] = [];
    while (!HONEST.every((validator) => (found[validator]?.length ?? 0) > 0)) {
      assert.ok(Date.now() < deadlineMs, `found: ${JSON.stringify(found)}`);
      await signTwice(); // Its round may have passed by the time it is heard.
      await pause(500);
      found = await Promise.all(HONEST.map(evidenceOf));
    }
    for (const [validator, pieces] of found.entries()) {
      assert.deepEqual(
        pieces.map(({ kind, validators }) => ({ kind, validators })),
        [{ kind: 'conflicting-votes', validators: ['0x3'] }],
      );
      const metrics = await (await fetch(`http://127.0.0.1:${devnet.basePort + METRICS_OFFSET + validator}/metrics`)).text();
      assert.match(metrics, /^coppice_evidence_total\{chain="1",kind="conflicting-votes"\} 1$/m);
      const log = readFileSync(join(devnet.validators[validator]?.dataDir ?? '', 'log/node.log'), 'utf8');
      assert.match(log, /"kind":"conflicting-votes".*"evidence against validators"/);
    }
  });

  it('loses a part of its stake in the next beacon block, once', async () => {
    const seatWei = 32n * 10n ** 18n;
    const lostWei = seatWei / 32n;
    const deadlineMs = Date.now() + FOUND_MS_MAX;
    let stakeWei = 4n * seatWei;
    while (stakeWei === 4n * seatWei) {
      assert.ok(Date.now() < deadlineMs, 'nobody is slashed');
      await pause(250);
      const supply = (await ask(1, 'coppice_getSupply', [])) as Readonly<Record<string, string>>;
      stakeWei = BigInt(supply['stake'] ?? 0);
      const { genesisSupply = 0, issuedRewards = 0, blockNumber: _number, blockHash: _hash, ...terms } = supply;
      const sum = Object.values(terms).reduce((total, term) => total + BigInt(term), 0n);
      assert.equal(sum, BigInt(genesisSupply) + BigInt(issuedRewards), 'what is slashed is burned');
    }
    assert.equal(stakeWei, 4n * seatWei - lostWei);
    await pause(1_500);
    const later = (await ask(2, 'coppice_getSupply', [])) as Readonly<Record<string, string>>;
    assert.equal(BigInt(later['stake'] ?? 0), stakeWei, 'the same guilt is not punished again');
  });

  it('is proved guilty to whoever has the genesis, by coppice evidence verify, in each form of a file', async () => {
    const rpc = devnet.rpc[0] ?? '';
    const listed = spawnSync(process.execPath, [MAIN_FILE, 'evidence', 'list', '--rpc', rpc], { encoding: 'utf8', timeout: 60_000 });
    assert.equal(listed.status, 0, listed.stderr);
    const [piece] = JSON.parse(listed.stdout) as readonly Listed[];
    assert.ok(piece !== undefined);
    const answer = JSON.stringify({ jsonrpc: '2.0', id: 1, result: await evidenceOf(0) });
    for (const content of [listed.stdout, answer, piece.encoded, hex(piece.encoded.slice(2))]) {
      const { status, stdout } = verify(content);
      assert.equal(status, 0);
      assert.match(
        String(stdout),
        new RegExp(`^${piece.id.slice(2)} holds: conflicting-votes in round \\d+, by validator 3 \\(BLS key [0-9a-f]{16}…\\)\n$`),
      );
    }
  });

  it('is not accused by anything else: one clear line, and exit code 1', async () => {
    const [piece] = await evidenceOf(0);
    assert.ok(piece !== undefined);
    const encoded = hex(piece.encoded.slice(2));
    const decoded = decodeEvidence(encoded);
    assert.ok(decoded.ok && decoded.value.kind === 'conflicting-votes');
    const { first, second } = decoded.value;
    const forged = encodeEvidence({ ...decoded.value, first: { ...first, signature: second.signature } });
    const refusals: readonly (readonly [string | Uint8Array, RegExp])[] = [
      [bytesToHex(forged), /is no evidence on this network: bad-signature$/],
      [new Uint8Array(0), /evidence holds no evidence: it is empty$/],
      [`0X${piece.encoded.slice(2)}`, /evidence holds no evidence: digits after 0X: they are expected after 0x, or alone$/],
    ];
    for (const [content, pattern] of refusals) {
      const { status, stdout, stderr } = verify(content);
      assert.equal(status, 1, String(stderr));
      assert.equal(stdout, '');
      assert.match(String(stderr).trimEnd(), pattern);
      assert.equal(String(stderr).trimEnd().split('\n').length, 1);
    }
    const answer = { jsonrpc: '2.0', id: 1, result: [piece, { encoded: `0x${bytesToHex(forged)}` }] };
    const partly = verify(JSON.stringify(answer));
    assert.equal(partly.status, 1);
    assert.match(String(partly.stdout), /^[0-9a-f]+ holds: conflicting-votes [^\n]*\n$/);
    assert.match(String(partly.stderr), /^coppice: [0-9a-f]+ is no evidence on this network: bad-signature\n$/);
    const other = { ...JSON.parse(readFileSync(genesisFile, 'utf8')), seed: `0x${'07'.repeat(32)}` };
    const otherFile = join(devnet.folder, 'other-genesis.json');
    writeFileSync(otherFile, JSON.stringify(other));
    const elsewhere = verify(encoded, otherFile);
    assert.equal(elsewhere.status, 1);
    assert.match(String(elsewhere.stderr), /is no evidence on this network: unknown-instance/);
  });
});
