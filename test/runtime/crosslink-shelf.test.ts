// Leaders of the beacon get the crosslinks of shards that they do not follow: judged by the beacon's rules, at every node that hands them on.
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { BeaconState } from '../../src/core/beacon/state.ts';
import type { SignatureSet } from '../../src/core/consensus/signature-sets.ts';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { Crosslink } from '../../src/core/protocol/crosslink.ts';
import { CROSSLINK_BYTES_MAX } from '../../src/core/protocol/limits.ts';
import type { PeerName } from '../../src/network/ports.ts';
import { topicName } from '../../src/network/topics.ts';
import { CrosslinkAnnouncer, turnOf } from '../../src/runtime/crosslink-announcer.ts';
import { CrosslinkShelf } from '../../src/runtime/crosslink-shelf.ts';
import type { ClaimsJudgement } from '../../src/runtime/verified-claims.ts';
import { linksUnder, quietConditions } from '../../src/simulation/links.ts';
import { createMemoryNetwork } from '../../src/simulation/memory-network.ts';
import { SeededRandom } from '../../src/simulation/random.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import {
  advance,
  advanceTo,
  type Beacon,
  beaconOf,
  certificateOf,
  chainOf,
  crosslinkOf,
  encoded,
  entryOf,
  extend,
  extendByCarrier,
  type FakeChain,
  pointOf,
  smallGenesis,
} from '../core/beacon/fixture.ts';

const EPOCH_BLOCKS = 8;
const TOPIC = topicName(sha256(), 0, 'crosslinks');
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const FOLLOWS_NONE = (): boolean => false;

let beacon: Beacon;
let chain: FakeChain;
let offences: string[];
let refusals: string[];
let judgement: ClaimsJudgement;
let checked: (readonly SignatureSet[])[];
let shelf: CrosslinkShelf;

function shelfOf(newest = (): BeaconState => beacon.state): CrosslinkShelf {
  return new CrosslinkShelf({
    constants: beacon.constants,
    newest,
    beaconHashAt: (height) => beacon.hashes[height],
    verify: async (claims) => {
      checked.push(claims);
      return judgement;
    },
    network: {
      peers: {
        connected: () => [],
        onChange: () => () => undefined,
        misbehaved: (_peer: PeerName, reason: string) => void offences.push(reason),
        reachableAt: () => undefined,
      },
    },
    metrics: { count: (_name, labels) => void refusals.push(labels?.['reason'] ?? ''), gauge: () => undefined, observe: () => undefined },
  });
}

beforeEach(() => {
  beacon = beaconOf(smallGenesis({ layout: [2, 3] }));
  advanceTo(beacon, 4);
  chain = chainOf(beacon, entryOf(beacon, 2).record);
  for (let block = 0; block < 3; block++) extend(beacon, chain);
  [offences, refusals, checked, judgement] = [[], [], [], 'valid'];
  shelf = shelfOf();
});

const tell = (data: Uint8Array) => shelf.receive({ from: 'peer', topic: TOPIC, data });
const take = (crosslinks: readonly Uint8Array[]): void => {
  advance(beacon, { crosslinks: [...crosslinks] });
  shelf.onBeacon(beacon.state);
};

describe('a crosslink that is announced', () => {
  it('is verified, handed on, and what a leader’s block takes', async () => {
    assert.equal(await tell(encoded(crosslinkOf(chain))), 'accept');
    assert.equal(checked[0]?.length, 2, 'QC and CC');
    const collected = shelf.collect(beacon.state, FOLLOWS_NONE);
    assert.deepEqual(collected, [encoded(crosslinkOf(chain))]);
    assert.equal(shelf.bytes, collected[0]?.length);
    take(collected);
    assert.equal(entryOf(beacon, 2).progress.height, chain.headers.at(-1)?.height);
    assert.deepEqual(shelf.collect(beacon.state, FOLLOWS_NONE), []);
    assert.equal(shelf.bytes, 0);
  });

  it('is not collected by who follows the shard', async () => {
    await tell(encoded(crosslinkOf(chain)));
    assert.deepEqual(
      shelf.collect(beacon.state, (shard) => shard === 2),
      [],
    );
  });

  it('counts once, and again only when it goes further', async () => {
    assert.equal(await tell(encoded(crosslinkOf(chain))), 'accept');
    assert.equal(await tell(encoded(crosslinkOf(chain))), 'ignore');
    extend(beacon, chain);
    assert.equal(await tell(encoded(crosslinkOf(chain))), 'accept');
    assert.equal(Crosslink.deserialize(shelf.collect(beacon.state, FOLLOWS_NONE)[0] as Uint8Array).headers.length, 4);
    assert.equal(checked.length, 2);
    assert.deepEqual(offences, []);
  });

  it('is of use when a part of it is crosslinked already', async () => {
    const first = crosslinkOf(chain);
    extend(beacon, chain);
    extend(beacon, chain);
    await tell(encoded(crosslinkOf(chain)));
    take([encoded(first)]);
    const [rest, ...others] = shelf.collect(beacon.state, FOLLOWS_NONE);
    assert.deepEqual(others, []);
    assert.deepEqual(rest, encoded(crosslinkOf(chain, { from: 3 })));
    take([rest as Uint8Array]);
    assert.equal(entryOf(beacon, 2).progress.height, chain.headers.at(-1)?.height);
  });

  it('is let go when the beacon has it, or has closed the record', async () => {
    await tell(encoded(crosslinkOf(chain)));
    const height = chain.headers.at(-1)?.height;
    assert.equal(shelf.endOf(entryOf(beacon, 2)), height);
    assert.equal(shelf.endOf(entryOf(beacon, 3)), 0);
    advanceTo(beacon, EPOCH_BLOCKS + 1);
    extend(beacon, chain);
    extendByCarrier(chain);
    take([encoded(crosslinkOf(chain, { carriers: 1 }))]);
    assert.deepEqual(shelf.collect(beacon.state, FOLLOWS_NONE), []);
    assert.equal(shelf.bytes, 0);
    assert.equal(await tell(encoded(crosslinkOf(chain, { carriers: 1 }))), 'ignore');
  });

  it('closes a record with its carriers', async () => {
    advanceTo(beacon, EPOCH_BLOCKS + 1);
    extend(beacon, chain);
    extendByCarrier(chain);
    assert.equal(await tell(encoded(crosslinkOf(chain, { carriers: 1 }))), 'accept');
    const { newRecords } = advance(beacon, { crosslinks: shelf.collect(beacon.state, FOLLOWS_NONE) });
    assert.deepEqual(
      newRecords.map(({ shard, epoch }) => ({ shard, epoch })),
      [{ shard: 2, epoch: 1 }],
    );
  });

  it('that says nothing here and now is kept back, and nobody is blamed', async () => {
    const ahead = { ...beacon, state: { ...beacon.state, height: 6 }, hashes: [...beacon.hashes, sha256(), sha256()] };
    const later = { ...chain, headers: [...chain.headers], hashes: [...chain.hashes] };
    extend(ahead, later);
    const cases = {
      'of a record that is not known': crosslinkOf(chain, { change: { epoch: 1 } }),
      'that begins further on': crosslinkOf(chain, { from: 1 }),
      'that refers to a beacon block that is not here': crosslinkOf(later),
    };
    for (const [name, crosslink] of Object.entries(cases)) assert.equal(await tell(encoded(crosslink)), 'ignore', name);
    judgement = 'not-looked-at';
    assert.equal(await tell(encoded(crosslinkOf(chain))), 'ignore');
    assert.deepEqual(offences, []);
  });

  it('that is none is refused, and whoever hands it on is blamed', async () => {
    const certificate = certificateOf(chain.instance, pointOf(chain, 2), [true, true, false, false]);
    const cases: readonly (readonly [string, Uint8Array])[] = [
      ['too-large', new Uint8Array(CROSSLINK_BYTES_MAX + 1)],
      ['malformed', Uint8Array.of(1, 2, 3)],
      ['no-quorum', encoded(crosslinkOf(chain, { change: { quorumCertificate: certificate } }))],
      [
        'certificate-of-another-block',
        encoded(crosslinkOf(chain, { change: { headers: chain.headers.slice(0, 2), outboxes: crosslinkOf(chain).outboxes.slice(0, 2) } })),
      ],
      ['wrong-outboxes', encoded(crosslinkOf(chain, { change: { outboxes: [] } }))],
    ];
    for (const [reason, data] of cases) {
      assert.equal(await tell(data), 'reject');
      assert.equal(offences.at(-1), reason);
    }
    judgement = 'invalid';
    assert.equal(await tell(encoded(crosslinkOf(chain))), 'reject');
    assert.deepEqual(offences, refusals);
    assert.equal(offences.at(-1), 'wrong-signature');
    assert.deepEqual(shelf.collect(beacon.state, FOLLOWS_NONE), []);
  });

  it('is verified among so many at once, and no more', async () => {
    let release: (judgement: ClaimsJudgement) => void = () => undefined;
    const slow = new Promise<ClaimsJudgement>((resolve) => {
      release = resolve;
    });
    const many = beaconOf(smallGenesis({ layout: Array.from({ length: 32 }, (_unused, at) => 32 + at) }));
    beacon = many;
    advanceTo(beacon, 2);
    shelf = new CrosslinkShelf({
      constants: beacon.constants,
      newest: () => beacon.state,
      beaconHashAt: (height) => beacon.hashes[height],
      verify: () => slow,
      network: {
        peers: { connected: () => [], onChange: () => () => undefined, misbehaved: () => undefined, reachableAt: () => undefined },
      },
      metrics: { count: () => undefined, gauge: () => undefined, observe: () => undefined },
    });
    const decisions = beacon.state.records.map(({ record }) => {
      const ofShard = chainOf(beacon, record);
      extend(beacon, ofShard);
      return tell(encoded(crosslinkOf(ofShard)));
    });
    release('valid');
    const decided = await Promise.all(decisions);
    assert.equal(decided.filter((decision) => decision === 'accept').length, 16);
    assert.equal(shelf.collect(beacon.state, FOLLOWS_NONE).length, 16);
  });
});

describe('the members of a committee', () => {
  function announcing(members: readonly number[], silent: ReadonlySet<number> = new Set(), messageBytesMax = CROSSLINK_BYTES_MAX) {
    const clock = new VirtualClock(0);
    const names = [...members.map((member) => `member-${member}`), 'leader'];
    const said: string[] = [];
    const network = createMemoryNetwork({
      names,
      links: linksUnder(quietConditions(5), new SeededRandom(1, 'links')),
      clock,
      onSay: (from) => void said.push(from),
    });
    const shelves = names.map((name) => {
      const own = shelfOf();
      network.networks.get(name)?.pubSub.subscribe(TOPIC, (message) => own.receive(message));
      return own;
    });
    const asked: number[] = [];
    const announcers = members.map((self, index) => {
      const pubSub = network.networks.get(`member-${self}`)?.pubSub;
      const own = shelves[index];
      assert.ok(pubSub !== undefined && own !== undefined);
      return new CrosslinkAnnouncer({
        self,
        topic: TOPIC,
        pubSub,
        shelf: own,
        make: async (_state, { record }, headersMax) => {
          asked.push(headersMax);
          const usable = { ...chain, headers: chain.headers.slice(0, headersMax), hashes: chain.hashes.slice(0, headersMax) };
          return record.shard === 2 && !silent.has(self) ? crosslinkOf(usable) : undefined;
        },
        newest: () => beacon.state,
        clock,
        logger: SILENT,
        messageBytesMax,
      });
    });
    const leader = shelves.at(-1);
    assert.ok(leader !== undefined);
    return { clock, said, asked, announcers, leader };
  }

  const members = [0, 1, 2, 3];

  it('take turns: one of them says what is final, after each beacon block another one first', async () => {
    const firsts = new Set<string>();
    for (let block = 0; block < 3; block++) {
      const { clock, said, announcers, leader } = announcing(members);
      for (const announcer of announcers) announcer.onBeacon(beacon.state);
      await clock.run(2_000);
      assert.equal(said.length, 1);
      firsts.add(said[0] as string);
      assert.equal(leader.collect(beacon.state, FOLLOWS_NONE).length, 1);
      assert.deepEqual(offences, []);
      advance(beacon);
    }
    assert.equal(firsts.size, 3);
  });

  it('speak for those who are silent', async () => {
    const silent = new Set(members.filter((self) => turnOf(beacon.state, entryOf(beacon, 2), self) !== 3));
    const { clock, said, announcers, leader } = announcing(members, silent);
    for (const announcer of announcers) announcer.onBeacon(beacon.state);
    await clock.run(2_000);
    assert.equal(said.length, 1);
    assert.equal(leader.collect(beacon.state, FOLLOWS_NONE).length, 1);
  });

  it('say nothing when they are of another shard, stopped, or overtaken by the beacon', async () => {
    const { clock, said, announcers } = announcing(members);
    for (const announcer of announcers) announcer.onBeacon(beacon.state);
    take([encoded(crosslinkOf(chain))]);
    await clock.run(2_000);
    assert.deepEqual(said, []);
    extend(beacon, chain);
    for (const announcer of announcers) announcer.onBeacon(beacon.state);
    for (const announcer of announcers) announcer.stop();
    await clock.run(4_000);
    assert.deepEqual(said, []);
    assert.equal(turnOf(beacon.state, entryOf(beacon, 2), 99), undefined);
  });

  it('say what is too long for a message in parts', async () => {
    for (let block = 0; block < 7; block++) extend(beacon, chain);
    const messageBytesMax = encoded(crosslinkOf(chain)).length / 2;
    const { clock, asked, announcers, leader } = announcing(members, new Set(), messageBytesMax);
    for (const announcer of announcers) announcer.onBeacon(beacon.state);
    await clock.run(2_000);
    assert.deepEqual(asked.slice(0, 5), [64, 32, 16, 8, 4]);
    assert.equal(Crosslink.deserialize(leader.collect(beacon.state, FOLLOWS_NONE)[0] as Uint8Array).headers.length, 4);
  });
});
