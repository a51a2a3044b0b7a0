// A peer's multiaddress, as operators write it: in config.json, a flag or an environment variable. What is wrong with one is said when
// the configuration is read, because it would otherwise first be noticed, as a fault of a library, when the peer is dialled.
import { isIPv4, isIPv6 } from 'node:net';
import { peerIdFromString } from '@libp2p/peer-id';
import { invariant } from '../core/primitives/errors.ts';
import type { StaticPeer } from '../network/host.ts';

const PORT_MAX = 65_535;
const HOST_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$/;
const PARTS = /^\/(ip4|ip6|dns4|dns6|dns)\/([^/]+)\/tcp\/(\d{1,5})\/p2p\/([^/]+)$/;
const ANNOUNCED_PARTS = /^\/(ip4|ip6|dns4|dns6|dns)\/([^/]+)\/tcp\/(\d{1,5})$/;
const ANNOUNCED_EXAMPLE = '/ip4/192.0.2.1/tcp/9545';
/** Where a process listens on all addresses of its machine: none that others could use. */
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::', '::0', '0:0:0:0:0:0:0:0']);
const EXAMPLE = '/ip4/192.0.2.1/tcp/9545/p2p/12D3KooW… (coppice keys prints the id)';

/** What is wrong with an address, in words that name it and show a right one; undefined when nothing is. */
export function faultOfPeerAddress(address: string): string | undefined {
  const fault = faultOf(address);
  return fault === undefined ? undefined : `${JSON.stringify(address)} ${fault}: it must be like ${EXAMPLE}`;
}

/** The peer of an address that has no fault. */
export function parsePeerAddress(address: string): StaticPeer {
  const [, , host, port, peerId] = PARTS.exec(address) ?? [];
  invariant(host !== undefined && peerId !== undefined, 'a peer address was checked with the configuration');
  return { host, port: Number(port), peerId };
}

/** What is wrong with an address that a node is to tell others of itself; undefined when nothing is. */
export function faultOfAnnouncedAddress(address: string): string | undefined {
  const [, kind, host, port] = ANNOUNCED_PARTS.exec(address) ?? [];
  const fault = kind === undefined || host === undefined ? 'is no address without a peer id' : faultOfPlace(kind, host, port);
  return fault === undefined ? undefined : `${JSON.stringify(address)} ${fault}: it must be like ${ANNOUNCED_EXAMPLE}`;
}

/** What a node tells others of itself: what it is told to, or where it listens, unless that is everywhere. */
export function announcedAddresses(announced: readonly string[], host: string, listenPort: number): readonly string[] {
  if (announced.length > 0) return announced;
  if (WILDCARDS.has(host)) return [];
  const kind = isIPv4(host) ? 'ip4' : isIPv6(host) ? 'ip6' : 'dns';
  return [`/${kind}/${host}/tcp/${listenPort}`];
}

function faultOf(address: string): string | undefined {
  const [, kind, host, port, peerId] = PARTS.exec(address) ?? [];
  if (kind === undefined || host === undefined || peerId === undefined) return 'is no address of a peer';
  return faultOfPlace(kind, host, port) ?? (isPeerId(peerId) ? undefined : 'has no valid peer id');
}

function faultOfPlace(kind: string, host: string, port: string | undefined): string | undefined {
  if (!isHost(kind, host)) return `has no valid ${kind} host`;
  return Number(port) < 1 || Number(port) > PORT_MAX ? 'has no valid port' : undefined;
}

function isHost(kind: string, host: string): boolean {
  if (kind === 'ip4') return isIPv4(host);
  return kind === 'ip6' ? isIPv6(host) : HOST_NAME.test(host);
}

// Nodes have ed25519 keys and know each other by one spelling of the id only.
function isPeerId(text: string): boolean {
  try {
    const peerId = peerIdFromString(text);
    return peerId.type === 'Ed25519' && peerId.toString() === text;
  } catch {
    return false;
  }
}
