// A JSON-RPC client that costs little, since the load generator shares the validators' cores: HTTP with kept-alive connections for
// calls and batches, WebSocket for news of heads.
import { Agent, request } from 'node:http';

/** One endpoint. */
export interface RpcClient {
  readonly url: string;
  call(method: string, params: readonly unknown[]): Promise<unknown>;
  /** Asks the same for each of these parameters, in one batch; gives the answers in their order, and throws at the first error. */
  callMany(method: string, paramsOfEach: readonly (readonly unknown[])[]): Promise<readonly unknown[]>;
  /** Sends raw transactions in one batch; gives each one's error message, or undefined where it was taken. */
  sendRaw(raws: readonly string[]): Promise<readonly (string | undefined)[]>;
  /** Calls back for each new head. */
  onHead(listener: (number: number, hash: string) => void): Promise<() => void>;
  close(): void;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

const CONNECTIONS_MAX = 32;
/** A node that does not answer in this time is taken for broken: waiting for ever would look like a chain that stands still. */
const ANSWER_MS_MAX = 30_000;
/** Then it is. */
const READ_ATTEMPTS_MAX = 4;

/** A client for the node at `url`. */
export function connectRpc(url: string): RpcClient {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });
  const post = (body: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const signal = AbortSignal.timeout(ANSWER_MS_MAX);
      const sent = request(url, { method: 'POST', agent, headers, signal }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  const call = async (method: string, params: readonly unknown[]): Promise<unknown> => {
    const answer = JSON.parse(await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))) as Answer;
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result;
  };
  const callMany = async (method: string, paramsOfEach: readonly (readonly unknown[])[]): Promise<readonly unknown[]> => {
    if (paramsOfEach.length === 0) return [];
    const batch = paramsOfEach.map((params, id) => ({ jsonrpc: '2.0', id, method, params }));
    const answers = JSON.parse(await post(JSON.stringify(batch))) as Answer[];
    const results: unknown[] = paramsOfEach.map(() => undefined);
    for (const { id, result, error } of answers) {
      if (error !== undefined) throw new Error(`${method}: ${error.message}`);
      results[id] = result;
    }
    if (results.includes(undefined)) throw new Error(`${method}: not all of ${results.length} were answered`);
    return results;
  };
  const sendRaw = async (raws: readonly string[]): Promise<readonly (string | undefined)[]> => {
    const items = raws.map((raw, id) => `{"jsonrpc":"2.0","id":${id},"method":"eth_sendRawTransaction","params":["${raw}"]}`);
    const answers = JSON.parse(await post(`[${items.join(',')}]`)) as Answer[];
    const errors: (string | undefined)[] = raws.map(() => 'no answer');
    for (const { id, error } of answers) errors[id] = error?.message;
    return errors;
  };
  return { url, call, callMany, sendRaw, onHead: (listener) => followHeads(url, listener), close: () => agent.destroy() };
}

/** Asks for something that is there, and again where a busy node does not answer in time: nothing changes by it. */
export async function readPatiently(node: Pick<RpcClient, 'call'>, method: string, params: readonly unknown[]): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await node.call(method, params);
    } catch (error) {
      if (attempt >= READ_ATTEMPTS_MAX) throw error;
    }
  }
}

async function followHeads(url: string, listener: (number: number, hash: string) => void): Promise<() => void> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'));
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error(`no WebSocket at ${url}`));
  });
  socket.onmessage = ({ data }) => {
    const { params } = JSON.parse(String(data)) as { params?: { result: { number: string; hash: string } } };
    if (params !== undefined) listener(Number(params.result.number), params.result.hash);
  };
  let isWanted = true;
  socket.onclose = ({ code, reason }) => {
    if (isWanted) throw new Error(`${url} ended the subscription to new heads: ${code} ${reason}`);
  };
  socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'] }));
  return () => {
    isWanted = false;
    socket.close();
  };
}
