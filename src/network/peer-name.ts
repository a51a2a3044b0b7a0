// A peer's name from its key. The peer key is ed25519; in SSZ and in genesis a peer is the 32-byte public key, on the wire it is
// libp2p's peer id, which is that key in another dress: both directions are exact.
import { generateKeyPairFromSeed, publicKeyFromRaw } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey, peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id';
import type { Bytes32 } from '../core/primitives/ids.ts';
import type { PeerName } from './ports.ts';

/** The name of the peer whose ed25519 key grows from this 32-byte seed. */
export async function peerNameOfSeed(peerSeed: Bytes32): Promise<PeerName> {
  return peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', peerSeed)).toString();
}

/** The name of the peer with this 32-byte ed25519 public key. */
export function peerNameOfPublicKey(publicKey: Bytes32): PeerName {
  return peerIdFromPublicKey(publicKeyFromRaw(publicKey)).toString();
}

/** The 32-byte ed25519 public key behind a name; `undefined` for anything that names no ed25519 key. */
export function publicKeyOfPeerName(name: PeerName): Bytes32 | undefined {
  try {
    const peerId = peerIdFromString(name);
    return peerId.type === 'Ed25519' ? peerId.publicKey.raw : undefined;
  } catch {
    return undefined; // Not a peer id at all.
  }
}
