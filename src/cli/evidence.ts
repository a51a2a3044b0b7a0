// coppice evidence: what a running node can prove against validators, and whether a file proves something to whoever has the genesis.
import type { Command } from 'commander';
import { verifyEvidence } from '../core/consensus/evidence/accusation.ts';
import { decodeEvidence, type Evidence, evidenceIdOf, roundOfEvidence } from '../core/consensus/evidence/evidence.ts';
import type { BlsScheme } from '../core/crypto/bls.ts';
import { initialiseKeccak } from '../core/crypto/keccak.ts';
import { bytesEqual, bytesToHex } from '../core/primitives/bytes.ts';
import { ROOT_SHARD, type ValidatorIndex } from '../core/primitives/ids.ts';
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';
import type { Instance } from '../core/protocol/committee.ts';
import { readEvidenceFile } from '../node/evidence-file.ts';
import { readGenesisFile } from '../node/genesis-file.ts';
import { instancesOfGenesis } from '../node/genesis-instances.ts';
import { selectCrypto } from '../runtime/native/select-crypto.ts';
import { askRpc } from './json-rpc.ts';
import { parseCount } from './parse-option.ts';
import { printLine, printNotice } from './print.ts';

const KEY_DIGITS = 16;

/** Adds the command. */
export function addEvidenceCommand(program: Command): void {
  const evidence = program.command('evidence').description('proofs that validators were not honest');
  evidence
    .command('list')
    .description('print what a running node can prove, as JSON')
    .option('--rpc <url>', 'address of its JSON-RPC', 'http://127.0.0.1:8545')
    .option('--shard <number>', 'shard whose validators it is about', parseCount, ROOT_SHARD)
    .action(list);
  evidence
    .command('verify')
    .description('say who is guilty of what, by the evidence in a file; exit code 0 if all of it holds')
    .argument('<file>', 'evidence as bytes, as hexadecimal digits, as coppice evidence list prints it, or as coppice_getEvidence answers')
    .requiredOption('--genesis <file>', "the network's genesis.json")
    .action(verify);
}

async function list({ rpc, shard }: { readonly rpc: string; readonly shard: number }): Promise<void> {
  const known = await askRpc(rpc, 'coppice_getEvidence', [`0x${shard.toString(16)}`]);
  if (known === undefined) throw new Error(`no node answers at ${rpc}, or it is too old to know coppice_getEvidence`);
  if (known === null) throw new Error(`the node at ${rpc} does not run shard ${shard}`);
  printLine(JSON.stringify(known, undefined, 2));
}

async function verify(file: string, { genesis: genesisFile }: { readonly genesis: string }): Promise<void> {
  const pieces = readEvidenceFile(file);
  await initialiseKeccak();
  const { bls } = selectCrypto({ disableNative: false });
  const genesis = readGenesisFile(genesisFile, bls);
  const instances = await instancesOfGenesis(genesis);
  const byId = new Map(pieces.map((piece) => [bytesToHex(evidenceIdOf(piece)), piece]));
  for (const [id, piece] of byId) {
    const judged = judge(piece, instances, bls);
    if (!judged.ok) {
      printNotice(`coppice: ${id} is no evidence on this network: ${judged.reason}${judged.detail === '' ? '' : ` (${judged.detail})`}`);
      process.exitCode = 1;
      continue;
    }
    const { evidence, guilty } = judged.value;
    const named = guilty.map((validator) => {
      const key = genesis.validators[validator]?.blsPublicKey;
      return `${validator} (BLS key ${key === undefined ? 'unknown' : bytesToHex(key).slice(0, KEY_DIGITS)}…)`;
    });
    printLine(`${id} holds: ${evidence.kind} in round ${roundOfEvidence(evidence)}, by validator ${named.join(', ')}`);
  }
}

function judge(
  piece: Uint8Array,
  instances: readonly Instance[],
  bls: BlsScheme,
): Verdict<{ readonly evidence: Evidence; readonly guilty: readonly ValidatorIndex[] }> {
  const decoded = decodeEvidence(piece);
  if (!decoded.ok) return decoded;
  const evidence = decoded.value;
  const instance = instances.find(({ instanceId }) => bytesEqual(instanceId, evidence.instanceId));
  if (instance === undefined)
    return refuse(
      'unknown-instance',
      `${bytesToHex(evidence.instanceId)} is none of those that this genesis starts, so its committee is not known`,
    );
  const verdict = verifyEvidence(instance, evidence, bls);
  return verdict.ok ? accept({ evidence, guilty: verdict.value }) : verdict;
}
