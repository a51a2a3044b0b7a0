// coppice status: asks a running node how it is doing.
import type { Command } from 'commander';
import { askShards, askStatus } from './json-rpc.ts';
import { printLine } from './print.ts';

interface StatusOptions {
  readonly rpc: string;
  readonly json: boolean;
}

/** Adds the command. */
export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('ask a running node how it is doing')
    .option('--rpc <url>', 'address of its JSON-RPC', 'http://127.0.0.1:8545')
    .option('--json', 'one line of JSON', false)
    .action(runStatus);
}

async function runStatus({ rpc, json }: StatusOptions): Promise<void> {
  const status = await askStatus(rpc);
  if (status === undefined) throw new Error(`no node answers at ${rpc}`);
  const shards = await askShards(rpc);
  if (json) printLine(JSON.stringify({ ...status, shards }));
  else {
    printLine(`${status.clientVersion}, chain id ${status.chainId}`);
    printLine(`block ${status.blockNumber}${status.syncing ? ', catching up' : ''}`);
    printLine(`${status.peers} peers, ${status.pendingTransactions} transactions waiting`);
    for (const { shard, epoch, height, finalizedHeight } of shards)
      printLine(`shard ${shard} (epoch ${epoch}): block ${height}, final to ${finalizedHeight}`);
  }
}
