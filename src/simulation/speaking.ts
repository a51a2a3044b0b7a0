// The network of a node, but for what it publishes or hears: where lies, ears and sudden ends come in.
import type { GossipHandler, Network, PeerName } from '../network/ports.ts';

/** The same network with another way to publish. */
export function speaking(own: Network, publish: Network['pubSub']['publish']): Network {
  return withPubSub(own, { publish });
}

/** The same network with an ear at all that reaches the node by gossip, before the node hears it. */
export function hearing(own: Network, ear: (topic: string, data: Uint8Array) => void): Network {
  const heard =
    (topic: string, handler: GossipHandler): GossipHandler =>
    (message) => {
      ear(topic, message.data);
      return handler(message);
    };
  return withPubSub(own, { subscribe: (topic, handler) => own.pubSub.subscribe(topic, heard(topic, handler)) });
}

/** The same network with an ear at the offences that the node counts, and whose they are. */
export function accusing(own: Network, ear: (peer: PeerName, reason: string) => void): Network {
  const { peers } = own;
  return {
    ...withPubSub(own, {}),
    peers: {
      connected: () => peers.connected(),
      onChange: (listener) => peers.onChange(listener),
      reachableAt: (peer, addresses) => peers.reachableAt(peer, addresses),
      misbehaved: (peer, reason, weight) => {
        ear(peer, reason);
        peers.misbehaved(peer, reason, weight);
      },
    },
  };
}

function withPubSub(own: Network, changed: Partial<Network['pubSub']>): Network {
  return {
    self: own.self,
    request: own.request,
    peers: own.peers,
    stats: () => own.stats(),
    close: () => own.close(),
    pubSub: {
      publish: (topic, data) => own.pubSub.publish(topic, data),
      subscribe: (topic, handler) => own.pubSub.subscribe(topic, handler),
      unsubscribe: (topic) => own.pubSub.unsubscribe(topic),
      ...changed,
    },
  };
}
