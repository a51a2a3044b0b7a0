// A network as a process of its own, to be killed and stopped: `node network-process.ts <number> <port> <peer id> <peer port>`.
// Prints its port when it listens. Knows one peer and follows nothing.
import { createLibp2pNetwork } from '../../src/network/host.ts';
import { NETWORK_PREFIX, realTiming, seedOf } from './network-fixture.ts';

const [number, port, peerId, peerPort] = process.argv.slice(2);
const network = await createLibp2pNetwork({
  peerSeed: seedOf(Number(number)),
  listenAddress: { host: '127.0.0.1', port: Number(port) },
  peers: [{ peerId: String(peerId), host: '127.0.0.1', port: Number(peerPort) }],
  networkPrefix: NETWORK_PREFIX,
  limits: { livenessIntervalMs: 200 },
  timing: realTiming,
  random: Math.random,
  log: () => undefined,
});
process.stdout.write(`${network.listenPort}\n`);
