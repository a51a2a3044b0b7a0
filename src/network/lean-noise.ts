// noise at a smaller price for small messages. Nothing on the wire changes but how it is cut into packets.
//
// - Each encrypted message is one write. noise hands down its two bytes of length and its ciphertext as a list, and libp2p's TCP makes a write of each entry:
//   two system calls and two packets for a vote, and often two turns of the receiver's loop.
// - To find out that it has read everything, its decoder asks for one length more and is told so by a RangeError, with a stack trace for each message:
//   a tenth of what a vote costs the network. Here it is the same error every time.
import type { ConnectionEncrypter, MessageStream, SecuredConnection } from '@libp2p/interface';
import type { Uint8ArrayList } from 'uint8arraylist';
import { invariant } from '../core/primitives/errors.ts';

const LENGTH_BYTES = 2;
const NOT_ALL_HERE = new RangeError('the length of the next message is not all here');

interface Decoder {
  lengthDecoder?: (buffer: Uint8ArrayList) => number;
}

/** The encrypter, as the file's head says. */
export function withLeanConnections<Components, Encrypter extends ConnectionEncrypter>(
  create: (components: Components) => Encrypter,
): (components: Components) => Encrypter {
  return (components) => {
    const encrypter = create(components);
    const secureInbound = encrypter.secureInbound.bind(encrypter);
    const secureOutbound = encrypter.secureOutbound.bind(encrypter);
    encrypter.secureInbound = async (connection, options) => withCheapLengths(await secureInbound(withOneWrite(connection), options));
    encrypter.secureOutbound = async (connection, options) => withCheapLengths(await secureOutbound(withOneWrite(connection), options));
    return encrypter;
  };
}

// The connection itself, not a stand-in: libp2p compares and keeps it.
function withOneWrite(connection: MessageStream): MessageStream {
  const send = connection.send.bind(connection);
  connection.send = (data) => send(data instanceof Uint8Array ? data : data.subarray());
  return connection;
}

// There is no setting for it: this reaches inside, and finds out here if another version looks different.
function withCheapLengths<Extension>(secured: SecuredConnection<Extension>): SecuredConnection<Extension> {
  const { decoder } = secured.connection as unknown as { readonly decoder?: Decoder };
  invariant(typeof decoder?.lengthDecoder === 'function', 'noise keeps its decoder where it did when this was written');
  decoder.lengthDecoder = lengthIn;
  return secured;
}

function lengthIn(buffer: Uint8ArrayList): number {
  if (buffer.byteLength < LENGTH_BYTES) throw NOT_ALL_HERE;
  return buffer.get(0) * 256 + buffer.get(1);
}
