// The network of a node, but for what it publishes or hears: where lies, ears and sudden ends come in.
import type { GossipHandler, Network } from '../network/ports.ts';

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
