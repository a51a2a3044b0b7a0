// Where validators are: this one says where it can be reached, remembers what others say, and keeps connected to them (protocol, section 9). So an
// operator names a few peers, and the node finds all the others, wherever they have moved to.
import type { BeaconState } from '../core/beacon/state.ts';
import { BEACON_CHAIN, type ValidatorIndex } from '../core/primitives/ids.ts';
import { type Genesis, genesisRoot } from '../core/protocol/genesis.ts';
import { AddressBook } from '../network/address-book.ts';
import type { PeerName } from '../network/ports.ts';
import { topicName } from '../network/topics.ts';
import { AddressGossip } from '../runtime/address-gossip.ts';
import type { ValidatorSecrets } from '../runtime/signer.ts';
import type { VerifiedClaims } from '../runtime/verified-claims.ts';
import { createAddressStore } from '../storage/address-store.ts';
import type { NodePorts } from './create-node.ts';

/** What it needs of its node. */
export interface ValidatorAddressesDependencies extends Pick<NodePorts, 'network' | 'store' | 'bls' | 'clock' | 'logger' | 'metrics'> {
  readonly genesis: Genesis;
  /** Undefined for a node that only follows. */
  readonly secrets: ValidatorSecrets | undefined;
  /** Multiaddresses without the peer's id; none where there is nothing to say. */
  readonly ownAddresses: readonly string[];
  readonly validators: () => BeaconState['validators'];
  readonly peerOf: (validator: ValidatorIndex) => PeerName | undefined;
  readonly claims: VerifiedClaims;
  readonly onFault: (fault: unknown) => void;
}

/** Opens the gossip, with what the database remembers; the network knows it at once. */
export async function openValidatorAddresses(dependencies: ValidatorAddressesDependencies): Promise<AddressGossip> {
  const { genesis, secrets, ownAddresses, validators, peerOf, network, store, bls, logger } = dependencies;
  const book = new AddressBook();
  const own = secrets === undefined ? undefined : validators()[secrets.validator];
  const connect = (validator: ValidatorIndex): void => {
    const [peer, addresses] = [peerOf(validator), book.get(validator)?.record.addresses ?? []];
    if (peer !== undefined && validator !== secrets?.validator) network.peers.reachableAt(peer, addresses);
  };
  const root = genesisRoot(genesis);
  const gossip = await AddressGossip.open({
    ...dependencies,
    genesisRoot: root,
    topic: topicName(root, BEACON_CHAIN, 'addresses'),
    book,
    identityOf: (validator) => validators()[validator],
    addressStore: createAddressStore(store),
    own:
      secrets === undefined || own === undefined || ownAddresses.length === 0
        ? undefined
        : {
            validator: secrets.validator,
            peerKey: own.peerKey,
            addresses: () => ownAddresses,
            sign: (signingRoot) => bls.sign(secrets.blsSecretKey, signingRoot),
          },
    onNews: ({ validator, addresses, sequence }) => {
      logger.info({ of: validator, addresses, sequence }, 'a validator said where it is');
      connect(validator);
    },
  });
  for (const validator of book.validators()) connect(validator);
  return gossip;
}
