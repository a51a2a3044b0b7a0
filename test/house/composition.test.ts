// The simulator runs what production runs: both put nodes together by `createNode`, and everything below it is the same modules. They may
// differ in the adapters behind the ports only, which are listed here, each with its reason.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { cruise } from 'dependency-cruiser';
import { cruiseOptions } from '../../scripts/layer-rules.ts';

const PROJECT = join(import.meta.dirname, '..', '..');
const COMPOSITION = 'src/node/create-node.ts';
const PRODUCTION = 'src/node/start-node.ts';
const COMMAND = 'src/cli/main.ts';
const SIMULATOR = 'src/simulation/world.ts';

/** What production has and the simulator has not: files, or folders that end in a slash. */
const OF_PRODUCTION: Readonly<Record<string, readonly string[]>> = {
  'libp2p, behind the network port: memory-network.ts stands in': [
    'src/network/address-throttle.ts',
    'src/network/deadline.ts',
    'src/network/discipline.ts',
    'src/network/frame-codec.ts',
    'src/network/frame-stream.ts',
    'src/network/gossip-guard.ts',
    'src/network/gossip-meter.ts',
    'src/network/gossip.ts',
    'src/network/host.ts',
    'src/network/inbound-failures.ts',
    'src/network/lean-noise.ts',
    'src/network/libp2p-node.ts',
    'src/network/peer-name.ts',
    'src/network/presence.ts',
    'src/network/redial.ts',
    'src/network/request-asking.ts',
    'src/network/request-serving.ts',
    'src/network/timing.ts',
    'src/network/window-updates.ts',
  ],
  'the disk, behind the ports of the stores: disk.ts stands in': [
    'src/storage/data-directory.ts',
    'src/storage/kept-log.ts',
    'src/storage/level-store.ts',
    'src/storage/make-folder.ts',
    'src/storage/node-file-store.ts',
    'src/storage/row-order.ts',
  ],
  'real time and randomness: virtual-clock.ts, node-clock.ts and random.ts stand in': ['src/runtime/clock.ts'],
  'BLS, VRF and hashes as native code, behind the interfaces of the core: a world is given its schemes': ['src/runtime/native/'],
  'the log and the metrics of a process: the event log stands in': [
    'src/node/logger.ts',
    'src/node/metrics.ts',
    'src/node/metrics-server.ts',
    'src/node/health.ts',
  ],
  'files, keys and configuration that a process is started from': [
    'src/node/collect-garbage.ts',
    'src/node/config.ts',
    'src/node/genesis-file.ts',
    'src/node/peer-address.ts',
    'src/node/signing-owner.ts',
    'src/node/start-node.ts',
    'src/node/validator-seed.ts',
    'src/node/version.ts',
  ],
  'JSON-RPC, which reads a node from outside: simulated clients ask its methods through the same ports (readers.ts)': ['src/rpc/'],
};

/** What the simulator has and production has not. */
const OF_SIMULATOR: Readonly<Record<string, readonly string[]>> = {
  'the adapters themselves, and who drives them': ['src/simulation/'],
  'rows in memory, of which simulated disks are made': ['src/storage/memory-store.ts'],
};

/** What a world takes of a node's own rooms beside `createNode`: what production hands to it as well, and what reads the wire. */
const BESIDE_COMPOSITION = [
  'src/runtime/signature-verifier.ts',
  'src/runtime/worker-pool.ts',
  'src/runtime/consensus-codec.ts',
  'src/runtime/gossip-outbox.ts',
  'src/node/rpc-ports.ts',
];

/** What each module imports when it runs: types are gone by then. */
type Graph = ReadonlyMap<string, readonly string[]>;

async function readGraph(): Promise<Graph> {
  const { output } = await cruise(['src'], { ...cruiseOptions, baseDir: PROJECT });
  if (typeof output === 'string') throw new Error(`dependency-cruiser reported text: ${output}`);
  return new Map(
    output.modules
      .filter(({ source }) => source.startsWith('src/'))
      .map(({ source, dependencies }) => {
        const running = dependencies.filter(({ dependencyTypes }) => !dependencyTypes.includes('type-only'));
        return [source, running.map(({ resolved }) => resolved).filter((resolved) => resolved.startsWith('src/'))];
      }),
  );
}

function reachedFrom(graph: Graph, entry: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [entry];
  for (let module = waiting.pop(); module !== undefined; module = waiting.pop()) {
    if (reached.has(module)) continue;
    reached.add(module);
    waiting.push(...(graph.get(module) ?? []));
  }
  return reached;
}

const isListed = (module: string, list: Readonly<Record<string, readonly string[]>>): boolean =>
  Object.values(list).some((paths) => paths.some((path) => (path.endsWith('/') ? module.startsWith(path) : module === path)));

/** What is wrong, a line for each: nothing when both are one composition behind listed adapters. */
function differences(graph: Graph): string[] {
  const [production, simulator, below] = [PRODUCTION, SIMULATOR, COMPOSITION].map((entry) => reachedFrom(graph, entry)) as [
    ReadonlySet<string>,
    ReadonlySet<string>,
    ReadonlySet<string>,
  ];
  const wrong: string[] = [];
  for (const module of [...below].sort()) {
    if (!production.has(module)) wrong.push(`production does not reach ${module}`);
    if (!simulator.has(module)) wrong.push(`the simulator does not reach ${module}`);
    if (isListed(module, OF_PRODUCTION)) wrong.push(`${module} is below createNode, and no adapter`);
  }
  for (const module of [...production].sort())
    if (!simulator.has(module) && !isListed(module, OF_PRODUCTION)) wrong.push(`only production has ${module}`);
  for (const module of [...simulator].sort())
    if (!production.has(module) && !isListed(module, OF_SIMULATOR)) wrong.push(`only the simulator has ${module}`);
  for (const module of simulator) {
    if (!module.startsWith('src/simulation/')) continue;
    for (const imported of graph.get(module) ?? [])
      if (/^src\/(?:node|runtime|sync|rpc)\//.test(imported) && imported !== COMPOSITION && !BESIDE_COMPOSITION.includes(imported))
        wrong.push(`${module} puts ${imported} together by itself`);
  }
  for (const module of [...reachedFrom(graph, COMMAND), ...production])
    if (module.startsWith('src/simulation/')) wrong.push(`production reaches ${module}`);
  return wrong;
}

describe('production and the simulator', () => {
  let graph: Graph = new Map();
  before(async () => {
    graph = await readGraph();
  });

  it('put nodes together alike, and differ in the listed adapters only', () => {
    assert.ok(reachedFrom(graph, COMPOSITION).size > 100, 'the composition was read');
    assert.deepEqual(differences(graph), []);
  });

  it('name no adapter that is none any more', () => {
    const [production, simulator] = [PRODUCTION, SIMULATOR].map((entry) => reachedFrom(graph, entry)) as [
      ReadonlySet<string>,
      ReadonlySet<string>,
    ];
    for (const [list, own, other] of [
      [OF_PRODUCTION, production, simulator],
      [OF_SIMULATOR, simulator, production],
    ] as const)
      for (const [reason, paths] of Object.entries(list))
        assert.ok(
          [...own].some((module) => !other.has(module) && isListed(module, { [reason]: paths })),
          reason,
        );
  });

  it('would be caught differing', () => {
    const planted = (module: string, imports: (before: readonly string[]) => readonly string[]): string[] =>
      differences(new Map([...graph, [module, imports(graph.get(module) ?? [])]]));
    const has = (wrong: readonly string[], line: string): void =>
      assert.ok(wrong.includes(line), `${line} not in ${JSON.stringify(wrong)}`);
    has(
      planted(SIMULATOR, (before) => before.filter((each) => each !== COMPOSITION)),
      'the simulator does not reach src/node/create-node.ts',
    );
    has(
      planted(SIMULATOR, (before) => [...before, 'src/runtime/chain-runner.ts']),
      'src/simulation/world.ts puts src/runtime/chain-runner.ts together by itself',
    );
    has(
      planted(PRODUCTION, (before) => [...before, 'src/simulation/disk.ts']),
      'production reaches src/simulation/disk.ts',
    );
    has(
      planted(PRODUCTION, (before) => [...before, 'src/runtime/another-way.ts']),
      'only production has src/runtime/another-way.ts',
    );
  });
});
