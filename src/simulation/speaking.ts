// The network of a node, but for what it publishes: where lies, ears and sudden ends come in.
import type { Network } from '../network/ports.ts';

/** The same network with another way to publish. */
export function speaking(own: Network, publish: Network['pubSub']['publish']): Network {
  return {
    self: own.self,
    request: own.request,
    peers: own.peers,
    stats: () => own.stats(),
    close: () => own.close(),
    pubSub: {
      subscribe: (topic, handler) => own.pubSub.subscribe(topic, handler),
      unsubscribe: (topic) => own.pubSub.unsubscribe(topic),
      publish,
    },
  };
}
