import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { Block, BlockCertificates, CertifiedBlock } from '../../src/core/protocol/certified-block.ts';
import type { Request, RequestHandler } from '../../src/network/ports.ts';
import {
  BLOCK_PROTOCOLS,
  BlockByHashRequest,
  BlocksByRangeRequest,
  RANGE_BLOCKS_MAX,
  RANGE_BYTES_MAX,
  Status,
  StatusRequest,
} from '../../src/sync/block-protocol.ts';
import {
  type BlockServerSource,
  decodeBlock,
  decodeCertifiedBlock,
  type StoredCertifiedBlock,
  serveBlocks,
} from '../../src/sync/block-server.ts';
import { certify, createSignedChain, pointOf, type SignedChain } from '../runtime/signed-chain.ts';

const OTHER_INSTANCE = sha256(Uint8Array.of(99));

describe('a server of blocks', () => {
  const handlers = new Map<string, RequestHandler>();
  const offences: string[] = [];
  const asked: { fromHeight: number; count: number }[] = [];
  let chain: SignedChain;
  let stored: StoredCertifiedBlock;
  let hash: Uint8Array;
  let answer: readonly StoredCertifiedBlock[] = [];

  before(async () => {
    await initialiseKeccak();
    chain = await createSignedChain();
    const first = await chain.extend(chain.start, { round: 1 });
    ({ hash } = first);
    const { header, body } = first.proposal;
    const quorumCertificate = certify(chain, pointOf(first));
    const commitCertificate = [certify(chain, pointOf(first), 'commit-vote')];
    stored = {
      block: Block.serialize({ header, body }),
      certificates: BlockCertificates.serialize({ quorumCertificate, commitCertificate }),
    };
    const { instanceId } = chain.instance;
    const source: BlockServerSource = {
      chain: 1,
      instanceId,
      status: () => ({ instanceId, committedHeight: 1, committedHash: hash, round: 2 }),
      readRange: async (fromHeight, count) => {
        asked.push({ fromHeight, count });
        return answer;
      },
      readByHash: (wanted) => (Buffer.compare(wanted, hash) === 0 ? stored.block : undefined),
    };
    const request: Request = {
      request: async () => [],
      handle: (protocol, handler) => {
        handlers.set(protocol, handler);
      },
    };
    const sourceOf = (wanted: Uint8Array) => (Buffer.compare(wanted, instanceId) === 0 ? source : undefined);
    serveBlocks(request, sourceOf, (_peer, reason) => offences.push(reason));
  });

  async function ask(protocol: string, body: Uint8Array): Promise<Uint8Array[]> {
    const frames: Uint8Array[] = [];
    for await (const frame of handlers.get(protocol)?.('peer', body) ?? []) frames.push(frame);
    return frames;
  }

  it('says where it stands', async () => {
    const [frame] = await ask(BLOCK_PROTOCOLS.status, StatusRequest.serialize({ instanceId: chain.instance.instanceId }));
    assert.equal(Status.deserialize(frame ?? new Uint8Array(0)).committedHeight, 1);
  });

  it('joins stored parts into certified blocks that decode', async () => {
    answer = [stored, stored];
    const body = BlocksByRangeRequest.serialize({ instanceId: chain.instance.instanceId, fromHeight: 1, count: 2 });
    const frames = await ask(BLOCK_PROTOCOLS.blocksByRange, body);
    assert.equal(frames.length, 2);
    const decoded = decodeCertifiedBlock(frames[0] ?? new Uint8Array(0));
    assert.ok(decoded.ok);
    assert.deepEqual(Buffer.from(CertifiedBlock.serialize(decoded.value)), Buffer.from(frames[0] ?? []));
  });

  it('gives no more blocks than a range has, whatever is asked for', async () => {
    const body = BlocksByRangeRequest.serialize({ instanceId: chain.instance.instanceId, fromHeight: 5, count: 4_000_000_000 });
    await ask(BLOCK_PROTOCOLS.blocksByRange, body);
    assert.deepEqual(asked.at(-1), { fromHeight: 5, count: RANGE_BLOCKS_MAX });
  });

  it('stops before an answer is too long', async () => {
    const large = { block: new Uint8Array(Math.ceil(RANGE_BYTES_MAX / 4)), certificates: new Uint8Array(0) };
    answer = [large, large, large, large, large];
    const body = BlocksByRangeRequest.serialize({ instanceId: chain.instance.instanceId, fromHeight: 1, count: 5 });
    const frames = await ask(BLOCK_PROTOCOLS.blocksByRange, body);
    assert.equal(frames.length, 3);
  });

  it('finds a block by its hash, and nothing by another', async () => {
    const { instanceId } = chain.instance;
    const [frame] = await ask(BLOCK_PROTOCOLS.blockByHash, BlockByHashRequest.serialize({ instanceId, hash }));
    assert.ok(decodeBlock(frame ?? new Uint8Array(0)).ok);
    assert.deepEqual(await ask(BLOCK_PROTOCOLS.blockByHash, BlockByHashRequest.serialize({ instanceId, hash: sha256() })), []);
  });

  it('gives nothing of another instance, without blame', async () => {
    const count = offences.length;
    assert.deepEqual(await ask(BLOCK_PROTOCOLS.blockByHash, BlockByHashRequest.serialize({ instanceId: OTHER_INSTANCE, hash })), []);
    const range = BlocksByRangeRequest.serialize({ instanceId: OTHER_INSTANCE, fromHeight: 1, count: 1 });
    assert.deepEqual(await ask(BLOCK_PROTOCOLS.blocksByRange, range), []);
    assert.equal(offences.length, count);
  });

  it('blames whoever asks in no language', async () => {
    for (const protocol of Object.values(BLOCK_PROTOCOLS)) await ask(protocol, Uint8Array.of(1, 2, 3));
    assert.deepEqual(offences.slice(-3), ['bad-status-request', 'bad-range-request', 'bad-block-request']);
  });
});
