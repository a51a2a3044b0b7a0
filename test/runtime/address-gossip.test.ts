// Validators tell each other where they are, on a memory network: everybody hears of everybody, and nobody of what is not so.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import {
  type AddressRecord,
  addressSigningRoot,
  decodeAddressRecord,
  encodeAddressRecord,
} from '../../src/core/protocol/address-record.ts';
import { AddressBook } from '../../src/network/address-book.ts';
import { topicName } from '../../src/network/topics.ts';
import { AddressGossip } from '../../src/runtime/address-gossip.ts';
import { VerifiedClaims } from '../../src/runtime/verified-claims.ts';
import { inlineVerifier } from '../../src/simulation/inline-verifier.ts';
import { linksUnder, quietConditions } from '../../src/simulation/links.ts';
import { createMemoryNetwork } from '../../src/simulation/memory-network.ts';
import { SeededRandom } from '../../src/simulation/random.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import { createAddressStore } from '../../src/storage/address-store.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';

const START_MS = 1_700_000_000_000;
const GENESIS_ROOT = sha256(Uint8Array.of(1));
const TOPIC = topicName(GENESIS_ROOT, 0, 'addresses');
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const UNCOUNTED = { count: () => undefined, gauge: () => undefined, observe: () => undefined };
const NODES = 4;

function createWorld() {
  const clock = new VirtualClock(START_MS);
  const crypto = standInCrypto();
  const secretOf = (validator: number): Uint8Array => sha256(Uint8Array.of(20 + validator));
  const peerKeyOf = (validator: number): Uint8Array => sha256(Uint8Array.of(40 + validator));
  const identities = Array.from({ length: NODES }, (_unused, validator) => ({
    blsPublicKey: crypto.bls.publicKeyOf(secretOf(validator)),
    peerKey: peerKeyOf(validator),
  }));
  const names = [...identities.map((_identity, index) => `node-${index}`), 'outsider'];
  const said: Uint8Array[] = [];
  const checked: number[] = [];
  const network = createMemoryNetwork({
    names,
    links: linksUnder(quietConditions(5), new SeededRandom(1, 'links')),
    clock,
    onSay: (_from, _to, _topic, data) => said.push(data),
  });
  const stores = names.map(() => createMemoryStore());
  const news: string[] = [];
  const addresses = identities.map((_identity, index) => [`/ip4/192.0.2.${index}/tcp/9545`]);
  const open = async (index: number, own = network.networks.get(names[index] as string)) => {
    const book = new AddressBook();
    const store = stores[index];
    assert.ok(own !== undefined && store !== undefined);
    const claims = new VerifiedClaims(inlineVerifier(crypto));
    const gossip = await AddressGossip.open({
      genesisRoot: GENESIS_ROOT,
      topic: TOPIC,
      network: own,
      book,
      identityOf: (validator) => identities[validator],
      claims: {
        judge: (sets, of) => {
          checked.push(index);
          return claims.judge(sets, of);
        },
      },
      store,
      addressStore: createAddressStore(store),
      own: {
        validator: index,
        peerKey: peerKeyOf(index),
        addresses: () => addresses[index] ?? [],
        sign: (root) => crypto.bls.sign(secretOf(index), root),
      },
      onNews: ({ validator }) => news.push(`${index} of ${validator}`),
      clock,
      logger: SILENT,
      metrics: UNCOUNTED,
      onFault: (fault) => {
        throw fault;
      },
    });
    return { gossip, book };
  };
  const sign = (record: AddressRecord, validator = record.validator): Uint8Array =>
    encodeAddressRecord({ record, signature: crypto.bls.sign(secretOf(validator), addressSigningRoot(GENESIS_ROOT, record)) });
  const recordOf = (validator: number, change: Partial<AddressRecord> = {}): AddressRecord => ({
    validator,
    peerKey: peerKeyOf(validator),
    sequence: START_MS * 2,
    addresses: ['/ip4/198.51.100.1/tcp/1'],
    ...change,
  });
  const run = (forMs: number): Promise<number> => clock.run(clock.nowMs() + forMs);
  return { clock, network, names, said, checked, stores, news, addresses, open, sign, recordOf, run };
}

describe('validators that say where they are', () => {
  it('are all known to all, over others where they are not linked', async () => {
    const { network, open, run, names } = createWorld();
    network.setLink('node-0', 'node-3', false);
    const nodes = await Promise.all([0, 1, 2, 3].map((index) => open(index)));
    for (const { gossip } of nodes) gossip.start();
    await run(3_000);
    for (const { book } of nodes) assert.deepEqual(book.validators(), [0, 1, 2, 3]);
    assert.equal(nodes[0]?.book.get(3)?.record.addresses[0], '/ip4/192.0.2.3/tcp/9545');
    assert.deepEqual(network.offences(), {}, String(names));
  });

  it('say so again now and then, with a higher number, and when somebody comes, but not for each', async () => {
    const { network, said, open, run } = createWorld();
    const { gossip } = await open(0);
    gossip.start();
    await run(3 * 600_000 + 60_000);
    assert.equal(said.length, 4);
    for (let times = 0; times < 20; times++) {
      network.setUp('node-1', false);
      network.setUp('node-1', true);
      await run(500);
    }
    await run(31_000);
    assert.ok(said.length > 4 && said.length <= 6, `${said.length} times`);
    const sequences = said.map((data) => {
      const decoded = decodeAddressRecord(data);
      assert.ok(decoded.ok);
      return decoded.value.record.sequence;
    });
    assert.deepEqual(
      sequences,
      [...new Set(sequences)].sort((a, b) => a - b),
    );
    gossip.stop();
    await run(3_600_000);
    assert.ok(said.length <= 6);
  });

  it('say so when it changes, and say nothing without an address', async () => {
    const { addresses, open, run, said } = createWorld();
    const [teller, hearer] = [await open(0), await open(1)];
    addresses[1] = [];
    teller.gossip.start();
    hearer.gossip.start();
    await run(40_000);
    assert.equal(hearer.book.get(0)?.record.addresses[0], '/ip4/192.0.2.0/tcp/9545');
    assert.equal(said.length, 1);
    addresses[0] = ['/dns4/moved.example/tcp/9545'];
    teller.gossip.changed();
    await run(40_000);
    assert.equal(hearer.book.get(0)?.record.addresses[0], '/dns4/moved.example/tcp/9545');
  });

  it('are known again after a restart, and go on with higher numbers though the clock went back', async () => {
    const { network, clock, open, run, sign, recordOf } = createWorld();
    const [one, other] = [await open(0), await open(1)];
    one.gossip.start();
    other.gossip.start();
    // The same validator from a machine whose clock is ahead.
    await network.networks.get('outsider')?.pubSub.publish(TOPIC, sign(recordOf(0)));
    await run(10_000);
    const before = one.book.get(0)?.record.sequence ?? 0;
    assert.ok(before >= 2 * START_MS);
    one.gossip.stop();
    network.shut('node-0');
    const again = await open(0, network.reopen('node-0'));
    assert.deepEqual(again.book.validators(), [0, 1]);
    again.gossip.start();
    await run(10_000);
    assert.equal(again.book.get(0)?.record.sequence, before + 1);
    assert.ok(clock.nowMs() < 2 * START_MS);
    assert.equal(other.book.get(0)?.record.addresses[0], '/ip4/192.0.2.0/tcp/9545');
  });
});

describe('a record that is gossiped', () => {
  const setUp = async () => {
    const world = createWorld();
    const [near, far] = [await world.open(0), await world.open(1)];
    near.gossip.start();
    far.gossip.start();
    await world.run(5_000);
    world.news.length = 0;
    // What the outsider tells node 0 comes to node 1 only if that hands it on.
    world.network.setLink('outsider', 'node-1', false);
    const tell = async (data: Uint8Array): Promise<readonly string[]> => {
      world.news.length = 0;
      world.network.whisper('outsider', 'node-0', TOPIC, data);
      await world.run(100);
      return [...world.news];
    };
    return { ...world, near, far, tell };
  };

  it('is handed on when it is news, and not again', async () => {
    const { tell, sign, recordOf, network, run, checked } = await setUp();
    assert.deepEqual(await tell(sign(recordOf(2))), ['0 of 2', '1 of 2']);
    await run(10_000);
    checked.length = 0;
    assert.deepEqual(await tell(sign(recordOf(2, { addresses: ['/other'] }))), []);
    assert.deepEqual(await tell(sign(recordOf(2, { sequence: 4 }))), []);
    assert.deepEqual(checked, [], 'nothing is verified for nothing');
    assert.deepEqual(network.offences(), {});
  });

  it('is taken of one validator not oftener than every few seconds', async () => {
    const { tell, sign, recordOf, network, run, checked } = await setUp();
    checked.length = 0;
    let taken = 0;
    for (let sequence = START_MS; sequence < START_MS + 50; sequence++) {
      taken += (await tell(sign(recordOf(2, { sequence })))).length > 0 ? 1 : 0;
    }
    assert.ok(taken <= 2, `${taken} taken`);
    assert.equal(checked.length, 2 * taken);
    await run(10_000);
    assert.equal((await tell(sign(recordOf(2)))).length, 2);
    assert.deepEqual(network.offences(), {});
  });

  it('of a validator that is not known is not handed on, and nobody is blamed', async () => {
    const { tell, sign, recordOf, network, near } = await setUp();
    assert.deepEqual(await tell(sign(recordOf(NODES, {}), 0)), []);
    assert.equal(near.book.get(NODES), undefined);
    assert.deepEqual(network.offences(), {});
  });

  it('is refused where it is none, of another peer, or signed by another, and whoever handed it on is blamed', async () => {
    const { tell, sign, recordOf, network } = await setUp();
    assert.deepEqual(await tell(Uint8Array.of(1, 2)), []);
    assert.deepEqual(await tell(sign(recordOf(2, { peerKey: sha256() }))), []);
    assert.deepEqual(await tell(sign(recordOf(2), 3)), []);
    const { 'message-rejected': _rejected, ...offences } = network.offences();
    assert.deepEqual(offences, { malformed: 1, 'wrong-peer-key': 1, 'wrong-signature': 1 });
  });
});
