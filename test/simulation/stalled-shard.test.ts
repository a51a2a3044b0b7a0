// What clients are told of messages to a shard that stands still: they are under way for as long as it does, in every answer of every node once, and final when it
// speaks again.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createdAddressOf } from '../../src/core/execution/created-address.ts';
import { placementOfFamily } from '../../src/core/messaging/placement.ts';
import { bytesToPrefixedHex } from '../../src/core/primitives/bytes.ts';
import { shardOfPlacement } from '../../src/core/protocol/shard-id.ts';
import { createDispatcher } from '../../src/rpc/dispatch.ts';
import { DEFAULT_RPC_LIMITS } from '../../src/rpc/limits.ts';
import { CONTRACTS, deploying } from '../../src/simulation/contracts.ts';
import { muteOf } from '../../src/simulation/silent-shard.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { type Client, createClients, fundedAccounts, signTransfer, wordOf } from '../../src/simulation/workload.ts';
import { type BeaconWorld, createBeaconWorld } from './beacon-world.ts';
import { prepareHashes } from './hashes.ts';

const LAYOUT = [4, 5, 6, 7];
const STALLED = 5;
const NODES = [0, 1, 2, 3];
const STEP_MS = 150;
const SETTLE_MS_MAX = 20_000;
const crypto = standInCrypto();
const clients = createClients(8, crypto.secp256k1);

interface Message {
  readonly id: string;
  readonly hop: string;
  readonly kind: string;
  readonly status: string;
  readonly toShard: string;
  readonly outcome: string | null;
  readonly sentBlockNumber: string | null;
  readonly blockNumber: string | null;
}

function clientIn(shard: number): Client {
  const found = clients.find(({ address }) => shardOfPlacement(new Set(LAYOUT), placementOfFamily(address)) === shard);
  assert.ok(found !== undefined);
  return found;
}

async function ask(world: BeaconWorld, index: number, method: string, hash: string): Promise<unknown> {
  const rpc = createDispatcher({ ports: world.rpcPorts(index), limits: DEFAULT_RPC_LIMITS, newId: () => '0x1' });
  const answer = await world.clock.drive(rpc.handle({ jsonrpc: '2.0', id: 1, method, params: [hash] }));
  rpc.close();
  assert.ok(answer !== undefined && 'result' in answer, JSON.stringify(answer));
  return answer.result;
}

describe('messages to a shard that stands still', () => {
  before(() => prepareHashes());

  it('are under way in every answer, once, until they are final', async () => {
    const world = await createBeaconWorld({ seed: 3, epochBlocks: 64, layout: LAYOUT, accounts: fundedAccounts(clients), crypto });
    const [sender, target] = [clientIn(4), clientIn(STALLED)];
    const send = async (nonce: bigint, to: Uint8Array, data: Uint8Array, gasLimit: bigint): Promise<string> => {
      const chosen = {
        secretKey: sender.secretKey,
        nonce,
        to,
        data,
        valueWei: nonce,
        gasLimit,
        chainId: world.genesis.parameters.evmChainId,
      };
      const submitted = world.nodes[0]?.transactions.submit(signTransfer(chosen, crypto.secp256k1)) ?? Promise.reject();
      const verdict = await world.clock.drive(submitted);
      assert.ok(verdict.ok, JSON.stringify(verdict));
      return bytesToPrefixedHex(verdict.value);
    };
    const seen = new Map<string, Message>();
    // Of all that a node has told: what it had once it has again, and nothing that was final goes back.
    const messagesOf = async (index: number, hash: string): Promise<readonly Message[]> => {
      const messages = ((await ask(world, index, 'coppice_getMessages', hash)) ?? []) as readonly Message[];
      const nameOf = ({ id, hop }: Message): string => `${index} ${hash} ${id} ${hop}`;
      assert.equal(new Set(messages.map(nameOf)).size, messages.length, 'none is there twice');
      const names = new Set(messages.map(nameOf));
      for (const name of seen.keys()) assert.ok(!name.startsWith(`${index} ${hash}`) || names.has(name), `${name} is still there`);
      for (const message of messages) {
        assert.ok(seen.get(nameOf(message))?.status !== 'final' || message.status === 'final', 'what is final stays so');
        seen.set(nameOf(message), message);
      }
      return messages;
    };
    const until = async (isMet: () => Promise<boolean>): Promise<void> => {
      for (let waitedMs = 0; !(await isMet()); waitedMs += STEP_MS) {
        assert.ok(waitedMs < SETTLE_MS_MAX, 'in time');
        await world.run(STEP_MS);
      }
    };

    await world.run(1_500);
    const deployed = await send(0n, new Uint8Array(0), deploying(CONTRACTS.sender), 150_000n);
    await until(async () => (await ask(world, 0, 'eth_getTransactionReceipt', deployed)) !== null);
    const mute = muteOf({ kind: 'silent-shard', shard: STALLED, nodes: NODES }, world.names);
    world.links.mutes.add(mute);
    await world.run(500);

    const transfer = await send(1n, target.address, new Uint8Array(0), 23_000n);
    const call = await send(2n, createdAddressOf(sender.address, 0n), wordOf(target.address), 200_000n);
    const waiting = async (index: number): Promise<boolean> =>
      (await messagesOf(index, transfer)).length > 0 && (await messagesOf(index, call)).length > 1;
    await until(async () => (await Promise.all(NODES.map(waiting))).every(Boolean));
    for (let step = 0; step < 10; step++) {
      await world.run(STEP_MS);
      for (const index of NODES) {
        const [main, ...others] = await messagesOf(index, transfer);
        assert.deepEqual([main?.kind, main?.status, main?.toShard, main?.outcome], ['main-call', 'under-way', '0x5', null]);
        assert.ok(Number(main?.sentBlockNumber) > 0 && main?.blockNumber === null);
        assert.deepEqual(others, []);
        const statuses = (await messagesOf(index, call)).map(({ kind, status, toShard }) => [kind, status, toShard]);
        assert.deepEqual(statuses, [
          ['main-call', 'final', '0x4'],
          ['value-send', 'under-way', '0x5'],
        ]);
      }
    }
    const trace = (await ask(world, 1, 'coppice_getTrace', call)) as { readonly item: Message; readonly effects: readonly Message[] };
    assert.deepEqual([trace.item.status, trace.effects.map(({ status }) => status)], ['final', ['under-way']]);
    assert.equal(((await ask(world, 2, 'coppice_getTrace', transfer)) as { readonly item: Message }).item.status, 'under-way');

    await world.restart(3, 'killed', 300);
    assert.equal((await messagesOf(3, transfer))[0]?.status, 'under-way', 'also after a restart');
    world.links.mutes.delete(mute);
    const isFinal = async (index: number): Promise<boolean> =>
      [...(await messagesOf(index, transfer)), ...(await messagesOf(index, call))].every(({ status }) => status === 'final');
    await until(async () => (await Promise.all(NODES.map(isFinal))).every(Boolean));
    const [main] = await messagesOf(0, transfer);
    assert.deepEqual([main?.outcome, main?.toShard, main?.sentBlockNumber], ['success', '0x5', null]);
    await world.stop();
  });
});
