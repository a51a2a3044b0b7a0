// The libp2p node and its settings. libp2p's defaults suit a public network of strangers; a committee on few machines needs
// others, and each that differs says why.
import { isIPv4, isIPv6 } from 'node:net';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { type GossipSub, type GossipSubComponents, type GossipsubOpts, gossipsub } from '@libp2p/gossipsub';
import { identify } from '@libp2p/identify';
import type { Libp2p } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import type { Bytes32 } from '../core/primitives/ids.ts';
import type { GossipGuard } from './gossip-guard.ts';
import { watchInboundFailures } from './inbound-failures.ts';
import { withLeanConnections } from './lean-noise.ts';
import type { NetworkLimits } from './limits.ts';
import type { PeerName } from './ports.ts';
import { withHeldWindowUpdates } from './window-updates.ts';

const DIALLED_HOSTS: ReadonlySet<string> = new Set(['ip4', 'ip6', 'dns', 'dns4', 'dns6']);
const MIB = 1024 * 1024;
/** Streams of one connection that the other side may open: gossip, requests, identify, ping. */
const INBOUND_STREAMS_MAX = 256;

/** Where to listen or to dial; a DNS name will do for dialling. Port 0 listens on a free port. */
export interface NetworkAddress {
  readonly host: string;
  readonly port: number;
}

/** The node and the services that are used beside its own. */
export type CoppiceLibp2p = Libp2p<{ gossipsub: GossipSub; identify: unknown; ping: unknown }>;

/** What the node is made of. */
export interface NodeParts {
  readonly peerSeed: Bytes32;
  readonly listenAddress: NetworkAddress;
  readonly limits: NetworkLimits;
  readonly gossipsubOptions: Partial<GossipsubOpts>;
  readonly guard: GossipGuard;
  /** Asked before anything is done for a new connection. */
  readonly mayConnect: (host: string) => boolean;
  /** Asked once a connection's peer is proven. */
  readonly isWelcome: (peer: PeerName) => boolean;
  /** Told from where somebody came who was not. */
  readonly onUnwelcome: (host: string) => void;
  /** Told of each connection from outside that failed before its peer was proven. */
  readonly onInboundFailed: Parameters<typeof watchInboundFailures>[0];
}

/** Starts a node that listens. */
export async function startNode(parts: NodeParts): Promise<CoppiceLibp2p> {
  const { limits } = parts;
  return createLibp2p({
    privateKey: await generateKeyPairFromSeed('Ed25519', parts.peerSeed),
    addresses: { listen: [addressOf(parts.listenAddress).toString()] },
    transports: [
      // Votes are small and must not wait for more to say (Nagle).
      tcp({
        dialOpts: { noDelay: true, keepAlive: true },
        listenOpts: { noDelay: true, keepAlive: true },
        maxConnections: limits.connectionsMax,
      }),
    ],
    connectionEncrypters: [withLeanConnections(noise())],
    streamMuxers: [
      withHeldWindowUpdates(
        yamux({
          maxInboundStreams: INBOUND_STREAMS_MAX,
          // The window stays below the read buffer: a paused stream would overflow it otherwise, and be aborted.
          streamOptions: { maxStreamWindowSize: 2 * MIB, maxReadBufferLength: 4 * MIB },
        }),
      ),
    ],
    connectionManager: {
      maxConnections: limits.connectionsMax,
      inboundConnectionThreshold: 100, // A second and address: the default of 5 refuses a devnet on one machine.
      maxIncomingPendingConnections: 100,
      reconnectRetries: 0, // redial.ts does it, for ever.
    },
    // A loop may be blocked for seconds by honest work. Who is there is known by gossip (presence.ts); each ping opens a stream, which costs as much as
    // some twenty votes.
    connectionMonitor: { pingInterval: 60_000, pingTimeout: { minTimeout: 15_000 } },
    connectionGater: {
      denyInboundConnection: (connection) => !parts.mayConnect(hostOf(connection.remoteAddr)),
      denyInboundEncryptedConnection: (peer, connection) => {
        if (parts.isWelcome(peer.toString())) return false;
        parts.onUnwelcome(hostOf(connection.remoteAddr));
        return true;
      },
      denyDialPeer: (peer) => !parts.isWelcome(peer.toString()),
      denyDialMultiaddr: () => false, // Private addresses are welcome.
    },
    metrics: watchInboundFailures(parts.onInboundFailed),
    services: {
      identify: identify(),
      ping: ping(),
      gossipsub: (components: GossipSubComponents) =>
        gossipsub(parts.gossipsubOptions)({
          privateKey: components.privateKey,
          peerId: components.peerId,
          peerStore: components.peerStore,
          connectionManager: components.connectionManager,
          logger: components.logger,
          registrar: parts.guard.guard(components.registrar),
        }),
    },
  });
}

/** The multiaddr of an address, with the peer that must answer there. */
export function addressOf(address: NetworkAddress, peer?: PeerName): Multiaddr {
  const { host, port } = address;
  const kind = isIPv4(host) ? 'ip4' : isIPv6(host) ? 'ip6' : 'dns4';
  return multiaddr(`/${kind}/${host}/tcp/${port}${peer === undefined ? '' : `/p2p/${peer}`}`);
}

/** The multiaddress that a peer says it can be reached at; undefined where that is none of an IP address or name, and a TCP port. */
export function saidAddressOf(text: string, peer: PeerName): Multiaddr | undefined {
  try {
    const said = multiaddr(text);
    const kinds = said.getComponents().map(({ name }) => name);
    const isOfTcp = kinds.length === 2 && DIALLED_HOSTS.has(kinds[0] ?? '') && kinds[1] === 'tcp';
    return isOfTcp ? said.encapsulate(`/p2p/${peer}`) : undefined;
  } catch {
    return undefined;
  }
}

/** The IP address or name within a multiaddr. */
export function hostOf(address: Multiaddr): string {
  return address.getComponents()[0]?.value ?? '';
}

/** The TCP port that the node listens on. */
export function listenPortOf(libp2p: CoppiceLibp2p): number {
  for (const address of libp2p.getMultiaddrs()) {
    const port = address.getComponents().find((component) => component.name === 'tcp')?.value;
    if (port !== undefined) return Number(port);
  }
  return 0;
}
