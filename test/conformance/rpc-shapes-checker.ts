// Runs the shape checker that stands beside the project, on a live endpoint.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const SHARED = join(import.meta.dirname, '..', '..', '..', 'shared');

/** The checker and the description that it checks against. */
export const SHAPE_CHECKER = join(SHARED, 'tools', 'rpc-shapes.mjs');
export const SHAPES_DOCUMENT = join(SHARED, 'data', 'openrpc.json');

/** What is refused, or answered with method not found, on purpose. */
const EXCEPTIONS = new Set([
  'eth_getProof',
  'eth_createAccessList',
  'eth_simulateV1',
  'eth_getBlockAccessList',
  'eth_getStorageValues',
  'eth_fillTransaction',
  'eth_capabilities',
  'eth_config',
  'eth_sign',
  'eth_signTransaction',
  'eth_sendTransaction',
  'eth_baseFee',
  'eth_blobBaseFee',
]);

/** Rows of the checker that are not in the document. */
const OTHER_ROWS = [
  'web3_clientVersion',
  'web3_sha3',
  'net_listening',
  'net_peerCount',
  'rpc:unknown-method',
  'rpc:invalid-params',
  'rpc:missing-params',
  'rpc:parse-error',
  'rpc:invalid-request',
  'rpc:id',
  'rpc:batch',
  'rpc:empty-batch',
];

const NAMESPACES = ['eth', 'net', 'web3', 'txpool'];
const TIMEOUT_MS = 120_000;

/** A line of the checker's table. */
export interface ShapeRow {
  readonly method: string;
  readonly status: string;
  readonly calls: number;
  readonly detail: string;
  readonly problems: readonly string[];
}

/** What the checker says; `unmet` are the required rows that are not ok. */
export interface ShapeReport {
  readonly rows: readonly ShapeRow[];
  readonly unmet: readonly string[];
}

/** Requires every row of the namespaces but the exceptions. */
export async function runShapeChecker(url: string): Promise<ShapeReport> {
  const document: { methods: readonly { name: string }[] } = JSON.parse(await readFile(SHAPES_DOCUMENT, 'utf8'));
  const described = document.methods.map((method) => method.name).filter((name) => NAMESPACES.includes(name.split('_')[0] as string));
  const required = [...described.filter((name) => !EXCEPTIONS.has(name)), ...OTHER_ROWS];
  const parameters = [SHAPE_CHECKER, '--url', url, '--json', '--prefix', NAMESPACES.join(','), '--require', required.join(',')];
  // The exit status says what `unmet` says; a checker that breaks prints no JSON.
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, parameters, { timeout: TIMEOUT_MS, maxBuffer: 2 ** 24 }, (_error, stdout, stderr) =>
      resolve(stdout || stderr),
    );
  });
  try {
    return JSON.parse(output);
  } catch {
    throw new Error(`the checker did not run: ${output}`);
  }
}
