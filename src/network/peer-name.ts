// A peer's name from its key. The peer key is ed25519; in SSZ and in genesis a peer is the 32-byte public key, on the wire it is
// libp2p's peer id, which is that key in another dress.
import { generateKeyPairFromSeed, publicKeyFromRaw } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey, peerIdFromPublicKey } from '@libp2p/peer-id';
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
