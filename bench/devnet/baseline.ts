// What the figures of a run are held against: Hardhat's node (one process, no consensus, every transaction a block of its own) under plain
// transfers on the same machine in the same minutes. Machines differ by more than most changes to the code do.
import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { DEVNET_MNEMONIC, mnemonicAccounts } from '../../src/cli/mnemonic-accounts.ts';
import type { Secp256k1 } from '../../src/core/crypto/secp256k1.ts';
import { hex } from '../../src/core/primitives/bytes.ts';
import { connectRpc, type RpcClient } from './json-rpc-client.ts';
import { type Sender, signMany, transferTo } from './transactions.ts';

const HARDHAT = join(dirname(createRequire(import.meta.url).resolve('hardhat/package.json')), 'dist/src/cli.js');
const PROJECT = join(import.meta.dirname, 'hardhat-project');
const SENDERS = 200;
/** Requests under way; each answers when its transaction is mined. */
const WORKERS = 50;
/** Enough for every machine seen: several times what it does. */
const PREPARED_A_SECOND = 1_500;
const START_MS_MAX = 60_000;

/** Plain transfers that Hardhat's node mines a second, one after the other as fast as it answers. */
export async function measureHardhatNode(secp256k1: Secp256k1, warmUpSeconds: number, seconds: number): Promise<number> {
  const port = await freePort();
  const child = startHardhat(port);
  const entry = connectRpc(`http://127.0.0.1:${port}`);
  try {
    await untilUp(entry, child);
    const senders = mnemonicAccounts(0, 0, SENDERS, secp256k1).map(
      ({ address, privateKey }): Sender => ({ address, secretKey: hex(privateKey), nonce: 0 }),
    );
    const chainId = Number(await entry.call('eth_chainId', []));
    const addresses = senders.map(({ address }) => address);
    const signed = signMany(PREPARED_A_SECOND * (warmUpSeconds + seconds), senders, addresses, transferTo, chainId, secp256k1);
    const raws = signed.map(({ raw }) => raw);
    await sendFor(entry, raws, warmUpSeconds);
    const startMs = performance.now();
    const mined = await sendFor(entry, raws, seconds);
    return mined / ((performance.now() - startMs) / 1_000);
  } finally {
    entry.close();
    child.kill();
  }
}

// Takes transactions from the front. Neighbours are of different senders, and there are more senders than requests under way.
async function sendFor(entry: RpcClient, raws: string[], seconds: number): Promise<number> {
  const endMs = performance.now() + 1_000 * seconds;
  let mined = 0;
  const work = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const raw = raws.shift();
      if (raw === undefined) throw new Error('more transactions mined than were prepared');
      await entry.call('eth_sendRawTransaction', [raw]);
      mined++;
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return mined;
}

function startHardhat(port: number): ChildProcess {
  const env = {
    ...process.env,
    HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true',
    BASELINE_MNEMONIC: DEVNET_MNEMONIC,
    BASELINE_ACCOUNTS: String(SENDERS),
  };
  const address = ['--hostname', '127.0.0.1', '--port', String(port)];
  return spawn(process.execPath, [HARDHAT, 'node', ...address], { cwd: PROJECT, env, stdio: 'ignore' });
}

async function untilUp(entry: RpcClient, child: ChildProcess): Promise<void> {
  const deadlineMs = performance.now() + START_MS_MAX;
  for (;;) {
    if (child.exitCode !== null || performance.now() > deadlineMs) throw new Error('the node of Hardhat does not start');
    const isUp = await entry.call('eth_chainId', []).then(
      () => true,
      () => false,
    );
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
