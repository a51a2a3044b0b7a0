// The traced process of signing-order.test.ts: a whole validator with its signing record on a real disk, whose network writes what
// consensus publishes to one TCP connection in the clear, since under noise no signature could be recognised in a system call.
// It holds three seats of four; the fourth belongs to nobody who answers, so it proposes, votes, commits and times out by itself.
//   node signing-order-validator.ts <folder> <port>
import { connect } from 'node:net';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { deriveValidatorKeys } from '../../src/core/crypto/validator-keys.ts';
import type { Network } from '../../src/network/ports.ts';
import { makeGenesisText } from '../../src/node/create-network.ts';
import { createNode } from '../../src/node/create-node.ts';
import { parseGenesis } from '../../src/node/genesis-file.ts';
import { createLogger } from '../../src/node/logger.ts';
import { createMetrics } from '../../src/node/metrics.ts';
import { genesisEntryOf } from '../../src/node/validator-seed.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { createSignatureVerifier } from '../../src/runtime/signature-verifier.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import { createNodeFileStore } from '../../src/storage/node-file-store.ts';

const [folder, port] = process.argv.slice(2);
const socket = connect({ host: '127.0.0.1', port: Number(port), noDelay: true });
await new Promise((resolve) => socket.once('connect', resolve));

// Length and bytes of each message. Everything else that a network does, this one has nobody to do with.
const network: Network = {
  self: 'alone',
  pubSub: {
    publish: async (topic, data) => {
      if (topic.includes('/consensus/')) {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(data.length);
        socket.write(Buffer.concat([length, data]));
      }
      return { recipients: 1 };
    },
    subscribe: () => undefined,
    unsubscribe: () => undefined,
  },
  request: { request: () => Promise.reject(new Error('nobody to ask')), handle: () => undefined },
  peers: { connected: () => [], onChange: () => () => undefined, misbehaved: () => undefined, reachableAt: () => undefined },
  stats: () => {
    throw new Error('nobody counts');
  },
  close: async () => {
    socket.destroy();
  },
};

await initialiseKeccak();
const { bls, vrf, secp256k1 } = selectCrypto({ disableNative: false });
const [keys, absent] = [1, 2].map((number) => deriveValidatorKeys(new Uint8Array(32).fill(number)));
if (keys === undefined || absent === undefined) throw new Error('two validators have keys');
const rewardAddress = `0x${'00'.repeat(20)}`;
const text = makeGenesisText(
  {
    preset: 'devnet',
    overrides: { idleIntervalMs: 50, roundTimeoutMs: 200 },
    validators: [genesisEntryOf(keys, rewardAddress, 3, bls), genesisEntryOf(absent, rewardAddress, 1, bls)],
    accounts: [],
    timestampMs: Date.now(),
  },
  bls,
);
const store = createMemoryStore();
const node = await createNode(
  {
    network,
    store,
    files: createNodeFileStore(folder ?? ''),
    clock: systemClock,
    logger: createLogger({ level: 'silent', file: undefined, base: {} }),
    metrics: createMetrics({ withProcess: false }),
    bls,
    vrf,
    secp256k1,
    verifier: createSignatureVerifier({ workerCount: 0, disableNative: false }),
    pause: undefined,
    validatorPeers: ['alone', 'absent'],
    ownAddresses: [],
  },
  {
    genesis: parseGenesis('the genesis', text, bls),
    secrets: { validator: 0, ...keys },
    stateBlocks: Number.POSITIVE_INFINITY,
    follow: 'all',
    onFault: (fault) => {
      process.stderr.write(`${String(fault)}\n`);
      process.exit(1);
    },
  },
);
node.start();
socket.on('close', () => process.exit(0));
