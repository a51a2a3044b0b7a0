// What every forger works with: a validator that runs the real code, whose words can be changed on the way out, which hears what comes
// in, and which can say anything more under its own signature, in each of its chains.
import type { Bytes32 } from '../../../core/primitives/ids.ts';
import { blockHashOf } from '../../../core/protocol/block.ts';
import type { Proposal } from '../../../core/protocol/vote.ts';
import { packMessages } from '../../../network/coalesce.ts';
import type { Network } from '../../../network/ports.ts';
import { topicName } from '../../../network/topics.ts';
import type { Chain } from '../../../node/create-chain.ts';
import type { Node } from '../../../node/create-node.ts';
import { type ConsensusMessage, encodeConsensusMessage, instanceIdOf } from '../../../runtime/consensus-codec.ts';
import { createSigner, type Signer } from '../../../runtime/signer.ts';
import type { Changing, UnsignedBlock } from '../../adversaries/post-state.ts';
import { chainOf } from '../../chains-of.ts';
import { readableOf } from '../../messages.ts';
import type { Forger } from '../../schedule.ts';
import type { World, WorldCrypto } from '../../world.ts';

/** The validator that forges. */
export const FORGER = 0;

/** See the file's head. It is of the instance of one message. */
export interface Hand {
  readonly world: World;
  readonly crypto: WorldCrypto;
  readonly node: Node;
  /** Where the message is said. */
  readonly chain: Chain;
  readonly signer: Signer;
  /** To everyone, as gossip of the chain. */
  readonly say: (message: ConsensusMessage) => void;
}

/** What is said in the place of something. */
export type Instead = readonly ConsensusMessage[];

/** What a forger does. */
export interface Forgery {
  /** What it says instead of a message of its own; itself when absent. */
  readonly instead?: (message: ConsensusMessage, hand: Hand) => Instead | Promise<Instead>;
  /** Told of each message that comes in. */
  readonly heard?: (message: ConsensusMessage, hand: Hand) => void;
  /** What it answers to a request, instead of the honest frames. */
  readonly answer?: (
    protocol: string,
    body: Uint8Array,
    handIn: (instanceId: Bytes32) => Hand | undefined,
  ) => readonly Uint8Array[] | undefined;
}

/** A forger of a schedule. */
export function forgerOf(forgery: Forgery): Forger {
  return { validator: FORGER, interpose: (own, world, crypto) => forging(own, world, crypto, forgery) };
}

/** What making other blocks of the beacon takes. */
export function changing({ node, world, crypto }: Hand): Changing {
  return { node: () => node, genesis: () => world.genesis, vrf: crypto.vrf };
}

/** A block, signed by the forger. */
export function signedBy({ header, body }: UnsignedBlock, { signer }: Hand): Proposal {
  return { header, body, signature: signer.signProposal(blockHashOf(header)) };
}

function forging(own: Network, world: () => World | undefined, crypto: WorldCrypto, { instead, heard, answer }: Forgery): Network {
  // Undefined in an instance that its node does not run any more.
  const handIn = (instanceId: Bytes32): Hand | undefined => {
    const theWorld = world();
    const [node, keys] = [theWorld?.nodes[FORGER], theWorld?.keys[FORGER]];
    const chain = node === undefined ? undefined : chainOf(node, instanceId);
    if (theWorld === undefined || node === undefined || keys === undefined || chain === undefined) return undefined;
    const { genesisRoot, chain: id } = chain.instance;
    const topic = topicName(genesisRoot, id, 'consensus');
    const signer = createSigner(crypto, { validator: FORGER, ...keys }, chain.instance);
    const say = (message: ConsensusMessage): void => {
      const data = packMessages([encodeConsensusMessage(message)]);
      for (const peer of own.peers.connected()) theWorld.network.whisper(own.self, peer, topic, data);
    };
    return { world: theWorld, crypto, node, chain, signer, say };
  };
  const said = async (message: ConsensusMessage): Promise<Instead> => {
    const hand = handIn(instanceIdOf(message));
    return hand === undefined || instead === undefined ? [message] : instead(message, hand);
  };
  return {
    self: own.self,
    peers: own.peers,
    stats: () => own.stats(),
    close: () => own.close(),
    request: {
      request: (peer, protocol, body, limits) => own.request.request(peer, protocol, body, limits),
      handle: (protocol, handler) => own.request.handle(protocol, (peer, body) => answer?.(protocol, body, handIn) ?? handler(peer, body)),
    },
    pubSub: {
      unsubscribe: (topic) => own.pubSub.unsubscribe(topic),
      subscribe: (topic, handler) => {
        if (!topic.includes('/consensus/')) return own.pubSub.subscribe(topic, handler);
        own.pubSub.subscribe(topic, (message) => {
          for (const each of readableOf(message.data)) {
            const hand = handIn(instanceIdOf(each));
            if (hand !== undefined) heard?.(each, hand);
          }
          return handler(message);
        });
      },
      publish: async (topic, data) => {
        if (instead === undefined || !topic.includes('/consensus/')) return own.pubSub.publish(topic, data);
        const words: ConsensusMessage[] = [];
        for (const message of readableOf(data)) words.push(...(await said(message)));
        return own.pubSub.publish(topic, packMessages(words.map(encodeConsensusMessage)));
      },
    },
  };
}
