// One question to one peer. That a peer fails, refuses or goes away while it answers is normal: whoever asks goes on to the next.
import { isError } from '../core/primitives/errors.ts';
import type { Network, PeerName, RequestOptions } from '../network/ports.ts';

/** The frames of the answer; undefined where none came. */
export async function askPeer(
  { request }: Pick<Network, 'request'>,
  peer: PeerName,
  protocol: string,
  body: Uint8Array,
  options: RequestOptions,
): Promise<readonly Uint8Array[] | undefined> {
  try {
    return await request.request(peer, protocol, body, options);
  } catch (error) {
    if (!isError(error, 'network/request-failed') && !isError(error, 'network/closed')) throw error;
    return undefined;
  }
}
