// What every forger works with: a validator that runs the real code, whose words can be changed on the way out, which hears what comes
// in, and which can say anything more under its own signature.
import { blockHashOf } from '../../../core/protocol/block.ts';
import type { Proposal } from '../../../core/protocol/vote.ts';
import { packMessages } from '../../../network/coalesce.ts';
import type { Network } from '../../../network/ports.ts';
import type { Node } from '../../../node/create-node.ts';
import { type ConsensusMessage, encodeConsensusMessage } from '../../../runtime/consensus-codec.ts';
import { createSigner, type Signer } from '../../../runtime/signer.ts';
import { readableOf } from '../../messages.ts';
import type { Forger } from '../../schedule.ts';
import type { World, WorldCrypto } from '../../world.ts';

/** The validator that forges. */
export const FORGER = 0;

/** See the file's head. */
export interface Hand {
  readonly world: World;
  readonly crypto: WorldCrypto;
  readonly node: Node;
  readonly signer: Signer;
  /** To everyone, as gossip. */
  readonly say: (message: ConsensusMessage) => void;
}

/** What a forger does. */
export interface Forgery {
  /** What it says instead of a message of its own; itself when absent. */
  readonly instead?: (message: ConsensusMessage, hand: Hand) => readonly ConsensusMessage[];
  /** Told of each message that comes in. */
  readonly heard?: (message: ConsensusMessage, hand: Hand) => void;
  /** What it answers to a request, instead of the honest frames. */
  readonly answer?: (protocol: string, body: Uint8Array, hand: Hand) => readonly Uint8Array[] | undefined;
}

/** A forger of a schedule. */
export function forgerOf(forgery: Forgery): Forger {
  return { validator: FORGER, interpose: (own, world, crypto) => forging(own, world, crypto, forgery) };
}

/** A proposal with its header changed and signed again. */
export function signedAgain({ body }: Proposal, header: Proposal['header'], { signer }: Hand): Proposal {
  return { header, body, signature: signer.signProposal(blockHashOf(header)) };
}

function forging(own: Network, world: () => World | undefined, crypto: WorldCrypto, { instead, heard, answer }: Forgery): Network {
  let consensusTopic = '';
  const hand = (): Hand | undefined => {
    const theWorld = world();
    const [node, keys] = [theWorld?.nodes[FORGER], theWorld?.keys[FORGER]];
    if (theWorld === undefined || node === undefined || keys === undefined) return undefined;
    const signer = createSigner(crypto, { validator: FORGER, ...keys }, node.chain.instance);
    const say = (message: ConsensusMessage): void => {
      const data = packMessages([encodeConsensusMessage(message)]);
      for (const peer of own.peers.connected()) theWorld.network.whisper(own.self, peer, consensusTopic, data);
    };
    return { world: theWorld, crypto, node, signer, say };
  };
  return {
    self: own.self,
    peers: own.peers,
    stats: () => own.stats(),
    close: () => own.close(),
    request: {
      request: (peer, protocol, body, limits) => own.request.request(peer, protocol, body, limits),
      handle: (protocol, handler) =>
        own.request.handle(protocol, (peer, body) => {
          const current = hand();
          return (current === undefined ? undefined : answer?.(protocol, body, current)) ?? handler(peer, body);
        }),
    },
    pubSub: {
      unsubscribe: (topic) => own.pubSub.unsubscribe(topic),
      subscribe: (topic, handler) => {
        if (!topic.includes('/consensus/')) return own.pubSub.subscribe(topic, handler);
        consensusTopic = topic;
        own.pubSub.subscribe(topic, (message) => {
          const current = hand();
          if (current !== undefined) for (const each of readableOf(message.data)) heard?.(each, current);
          return handler(message);
        });
      },
      publish: (topic, data) => {
        const current = hand();
        if (instead === undefined || current === undefined || topic !== consensusTopic) return own.pubSub.publish(topic, data);
        const words = readableOf(data).flatMap((message) => instead(message, current));
        return own.pubSub.publish(topic, packMessages(words.map(encodeConsensusMessage)));
      },
    },
  };
}
