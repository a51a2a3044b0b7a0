// Networks on real sockets of this machine for the system tests: free ports, real time, everything closed afterwards.
import type { TestContext } from 'node:test';
import { createLibp2pNetwork, type Libp2pNetwork, type Libp2pNetworkOptions } from '../../src/network/host.ts';
import { peerNameOfSeed } from '../../src/network/peer-name.ts';
import type { Timing } from '../../src/network/timing.ts';

/** Topics of this network begin with it. */
export const NETWORK_PREFIX = '/coppice/0badcafe/';

/** Real, monotonic time. */
export const realTiming: Timing = {
  nowMs: () => performance.now(),
  schedule: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** The peer seed of the validator with this number. */
export function seedOf(number: number): Uint8Array {
  return new Uint8Array(32).fill(number);
}

/** A network that listens on a free port of 127.0.0.1 (or `listenPort`) and is closed with the test. */
export async function startNetwork(
  test: TestContext,
  number: number,
  options: Partial<Libp2pNetworkOptions> & { readonly listenPort?: number } = {},
): Promise<Libp2pNetwork> {
  const { listenPort, ...rest } = options;
  const network = await createLibp2pNetwork({
    peerSeed: seedOf(number),
    listenAddress: { host: '127.0.0.1', port: listenPort ?? 0 },
    peers: [],
    networkPrefix: NETWORK_PREFIX,
    timing: realTiming,
    random: Math.random,
    log: () => undefined,
    ...rest,
  });
  test.after(() => network.close());
  return network;
}

/** Networks 1 to `count`, each of which dials those before it. */
export async function startMesh(test: TestContext, count: number, options: Partial<Libp2pNetworkOptions> = {}): Promise<Libp2pNetwork[]> {
  const networks: Libp2pNetwork[] = [];
  for (let number = 1; number <= count; number++) {
    networks.push(await startNetwork(test, number, { ...options, peers: networks.map(addressOfNetwork) }));
  }
  await until(() => networks.every((network) => network.peers.connected().length === count - 1), 'everybody is connected');
  return networks;
}

/** Where a network is reached. */
export function addressOfNetwork(network: Libp2pNetwork): { peerId: string; host: string; port: number } {
  return { peerId: network.self, host: '127.0.0.1', port: network.listenPort };
}

/** Where the validator with this number would be reached on this port. */
export async function addressOfSeed(number: number, port: number): Promise<{ peerId: string; host: string; port: number }> {
  return { peerId: await peerNameOfSeed(seedOf(number)), host: '127.0.0.1', port };
}

/** Waits until it holds; fails loudly when it does not. */
export async function until(holds: () => boolean, what: string, timeoutMs = 8_000): Promise<number> {
  const startMs = performance.now();
  while (!holds()) {
    if (performance.now() - startMs > timeoutMs) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
    await pause(10);
  }
  return performance.now() - startMs;
}

/** Lets time pass. */
export async function pause(delayMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, delayMs));
}
