// Tells of each transaction that a node shows as final, as soon as it does.
import { type RpcClient, readPatiently } from '../devnet/json-rpc-client.ts';

/** Calls back with the transactions of each new block. The returned function stops. */
export async function followFinal(node: RpcClient, onFinal: (hashes: readonly string[], nowMs: number) => void): Promise<() => void> {
  let lastRead = Number(await node.call('eth_blockNumber', []));
  let reading = Promise.resolve();
  const read = async (number: number): Promise<void> => {
    const block = (await readPatiently(node, 'eth_getBlockByNumber', [`0x${number.toString(16)}`, false])) as { transactions: string[] };
    onFinal(block.transactions, performance.now());
  };
  return node.onHead((number) => {
    const from = lastRead + 1;
    lastRead = Math.max(lastRead, number);
    for (let next = from; next <= number; next++) reading = reading.then(() => read(next));
  });
}
