// The layer rules, for dependency-cruiser. A room may import rooms below it, never above and never beside it; the core imports nothing but itself and a
// few pure packages. Read by scripts/check-layers.ts, which first makes sure that every source file was indeed read.
import type { ICruiseOptions, IForbiddenRuleType } from 'dependency-cruiser';

/** The rooms of the shell, each with the rooms below that it may import; every room may import itself and the core. */
const SHELL: Readonly<Record<string, readonly string[]>> = {
  storage: [],
  network: [],
  runtime: ['storage', 'network'],
  sync: ['storage', 'network', 'runtime'],
  rpc: ['runtime'],
  light: [],
  node: ['storage', 'network', 'runtime', 'sync', 'rpc'],
  cli: ['storage', 'network', 'runtime', 'sync', 'rpc', 'node'],
  simulation: ['storage', 'network', 'runtime', 'sync', 'rpc', 'node'],
};

/** The rooms of the core, each with the rooms below that it may import. */
const CORE: Readonly<Record<string, readonly string[]>> = {
  primitives: [],
  crypto: ['primitives'],
  protocol: ['crypto', 'primitives'],
  state: ['protocol', 'crypto', 'primitives'],
  messaging: ['state', 'protocol', 'crypto', 'primitives'],
  execution: ['messaging', 'state', 'protocol', 'crypto', 'primitives'],
  consensus: ['protocol', 'crypto', 'primitives'],
  mempool: ['execution', 'messaging', 'state', 'protocol', 'crypto', 'primitives'],
  shard: ['mempool', 'consensus', 'execution', 'messaging', 'state', 'protocol', 'crypto', 'primitives'],
  beacon: ['mempool', 'consensus', 'execution', 'messaging', 'state', 'protocol', 'crypto', 'primitives'],
  view: ['beacon', 'shard', 'mempool', 'consensus', 'execution', 'messaging', 'state', 'protocol', 'crypto', 'primitives'],
};

/** Packages that the core may use: they run the same in a browser, without native code. */
const PURE_PACKAGES = [
  '@noble/curves',
  '@noble/hashes',
  '@chainsafe/ssz',
  '@chainsafe/persistent-merkle-tree',
  '@chainsafe/as-sha256',
  '@ethereumjs/common',
  '@ethereumjs/evm',
  '@ethereumjs/util',
  'hash-wasm',
];

const anyOf = (names: readonly string[]): string => `(?:${names.join('|')})`;

const shellRules: IForbiddenRuleType[] = Object.entries(SHELL).map(([room, below]) => ({
  name: `${room}-imports-down-only`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: `^src/(?:core|${[room, ...below].join('|')})/` },
}));

const coreRules: IForbiddenRuleType[] = Object.entries(CORE).map(([room, below]) => ({
  name: `core-${room}-imports-down-only`,
  severity: 'error',
  from: { path: `^src/core/${room}/` },
  to: { path: '^src/', pathNot: `^src/core/${anyOf([room, ...below])}/` },
}));

/** Every rule; the cruise fails on any of them. */
export const layerRules: IForbiddenRuleType[] = [
  ...coreRules,
  ...shellRules,
  {
    name: 'core-imports-pure-packages-only',
    comment: 'no node:*, no native code, no library of the shell',
    severity: 'error',
    from: { path: '^src/core/' },
    to: { pathNot: `^(?:src/|node_modules/${anyOf(PURE_PACKAGES)}/)`, couldNotResolve: false },
  },
  {
    name: 'rpc-and-sync-own-no-library-of-the-network',
    comment: 'what a simulator replaces sits behind ports; rpc names its HTTP server only',
    severity: 'error',
    from: { path: '^src/(?:rpc|sync|runtime)/' },
    to: { path: '^node_modules/(?:libp2p|@libp2p/[^/]+|@multiformats/[^/]+|classic-level)/' },
  },
  {
    name: 'no-cycles',
    comment: 'cycles of types alone are permitted, and cannot leave a room: a state and its parts may name each other',
    severity: 'error',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  {
    name: 'rooms-are-known',
    comment: 'a new folder needs a row in this file',
    severity: 'error',
    from: {},
    to: { path: '^src/', pathNot: `^src/(?:core/${anyOf(Object.keys(CORE))}|${Object.keys(SHELL).join('|')})/` },
  },
  {
    name: 'source-imports-source-only',
    comment: 'the published package holds src alone',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: '^(?:test|bench|scripts|devnet)/' },
  },
  { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  {
    name: 'no-development-packages-in-source',
    severity: 'error',
    from: { path: '^src/' },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
  },
];

/** How the cruiser reads our TypeScript: with swc, type imports included. */
export const cruiseOptions: ICruiseOptions = {
  doNotFollow: { path: 'node_modules' },
  parser: 'swc',
  detectProcessBuiltinModuleCalls: true,
  tsPreCompilationDeps: true,
  enhancedResolveOptions: {
    exportsFields: ['exports'],
    conditionNames: ['import', 'node', 'default', 'types'],
    extensions: ['.ts', '.js', '.mjs', '.json', '.d.ts'],
  },
};
