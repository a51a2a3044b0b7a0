// Mutants of src/core/consensus: each takes one rule away, by a change of text that matches exactly once. They are loaded beside the
// engine, by a load hook: the room's modules once more, under addresses with the mutant's number, every other room shared.
import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Engine } from './model-replay.ts';

const ROOM = pathToFileURL(join(import.meta.dirname, '../../src/core/consensus/')).href;
const MARK = '?mutant=';

/** One rule taken away. */
export interface EngineMutant {
  readonly what: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** What the replay of the model must notice. */
export const ENGINE_MUTANTS: readonly EngineMutant[] = [
  {
    what: 'vote twice in a round',
    file: 'vote.ts',
    from: 'header.round > record.lastVotedRound && ',
    to: '',
  },
  {
    what: 'vote in a round that was given up',
    file: 'vote.ts',
    from: ' && header.round > record.lastTimeoutRound',
    to: '',
  },
  {
    what: 'commit-vote after a timeout',
    file: 'commit-vote.ts',
    from: 'record.lastTimeoutRound < point.round && ',
    to: '',
  },
  {
    what: 'accept a justify below the highest QC that the TC reports',
    file: 'header-rules.ts',
    from: 'justifyRound >= Math.max(...timeoutCertificate.highestQuorumCertificateRounds)',
    to: 'justifyRound >= 0',
  },
  {
    what: 'carry the lowest QC in a TC',
    file: 'certificates.ts',
    from: 'reportedRoundOf(timeout) > reportedRoundOf(best)',
    to: 'reportedRoundOf(timeout) < reportedRoundOf(best)',
  },
  {
    what: 'join nobody before a quorum gave up',
    file: 'timeout.ts',
    from: 'if (includesHonest(seats, instance.committee))',
    to: 'if (includesHonest(seats, instance.committee) && isQuorum(seats, instance.committee))',
  },
  {
    what: 'make a TC of f + 1 timeouts',
    file: 'timeout.ts',
    from: 'if (!isQuorum(seats, committee))',
    to: 'if (!includesHonest(seats, committee))',
  },
  {
    what: 'keep the timeouts of rounds already left',
    file: 'pacemaker.ts',
    from: '.filter(([, timeout]) => timeout.round >= round)',
    to: '',
  },
  {
    what: 'sign before the record is durable',
    file: 'durable.ts',
    from: 'spoken.length > 0 && ',
    to: 'spoken.length > 9 && ',
  },
  {
    what: 'forget the TC that admitted to the round at a restart',
    file: 'record.ts',
    from: 'record.timeoutCertificate[0]?.round ?? 0',
    to: '0',
  },
  {
    what: 'stay in the round after its QC',
    file: 'adopt.ts',
    from: 'round >= current.round ? enterRound(current, round + 1, undefined)',
    to: 'round > current.round ? enterRound(current, round + 1, undefined)',
  },
  {
    what: 'commit by a CC whose QC is not known',
    file: 'adopt.ts',
    from: 'const found = quorumCertificate ?? knownQuorumCertificate(state, commitCertificate);',
    to: 'const found = quorumCertificate ?? commitCertificate;',
  },
  {
    what: 'vote for a block that was fetched under a certificate',
    file: 'vote.ts',
    from: 'state.self === undefined || isCertified || ',
    to: 'state.self === undefined || ',
  },
  {
    what: 'take proposals of rounds already left',
    file: 'blocks.ts',
    from: 'block.header.round < state.round || rivals',
    to: 'rivals',
  },
];

/** What schedules that end their instance must notice. */
export const CLOSING_MUTANTS: readonly EngineMutant[] = [
  {
    what: 'make no carriers',
    file: 'proposal.ts',
    from: 'const role = roleOf(state, parentHex);',
    to: 'const role = roleOf(state, parentHex);\n  if (endsChain(role)) return unchanged(state);',
  },
  {
    what: 'let ordinary blocks follow a closing one',
    file: 'block-role.ts',
    from: 'return isCarrier(header) === endsChain(parentRole);',
    to: 'return true;',
  },
  {
    what: 'commit nothing by the CC of a carrier',
    file: 'commit.ts',
    from: 'const last = chain.at(-1);',
    to: 'if (carriers.length > 0) return unchanged(state);\n  const last = chain.at(-1);',
  },
  {
    what: 'commit carriers',
    file: 'closed-instance.ts',
    from: "role !== 'carrier'",
    to: "role !== 'ordinary' || true",
  },
  {
    what: 'look for the parent of a carrier one height below',
    file: 'block-role.ts',
    from: 'return isCarrier(header) ? header.height : header.height - 1;',
    to: 'return header.height - 1;',
  },
  {
    what: 'go on after the end',
    file: 'engine.ts',
    from: 'if (state.closed !== undefined) return',
    to: 'if (state.closed !== undefined && state.committed.height < 0) return',
  },
  {
    what: 'finish the step in which the instance ends',
    file: 'state.ts',
    from: 'if (current.closed !== undefined) break;',
    to: '',
  },
  {
    what: 'answer nobody after the end',
    file: 'closed-instance.ts',
    from: "return { state, effects: [{ kind: 'send-certificates', to: from, certificates }] };",
    to: 'return { state, effects: [] };',
  },
  {
    what: 'forget the end at a restart',
    file: 'state.ts',
    from: 'closed: from.closed,',
    to: 'closed: undefined,',
  },
  {
    what: 'commit the closing block without what shows the end',
    file: 'commit.ts',
    from: 'block === last ? closed : undefined',
    to: 'undefined',
  },
];

/** The engine as it is, loaded in the same way: what fails with a mutant must not fail with this. */
export const NO_MUTANT: EngineMutant = { what: 'nothing', file: 'vote.ts', from: '', to: '' };

/** Loads the room with the change. */
export async function loadMutant(mutant: EngineMutant, number: number): Promise<Engine> {
  const query = `${MARK}${number}`;
  let matches = 0;
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      const isInside = context.parentURL?.endsWith(query) === true && resolved.url.startsWith(ROOM);
      return isInside && !resolved.url.endsWith(query) ? { ...resolved, url: `${resolved.url}${query}` } : resolved;
    },
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== `${ROOM}${mutant.file}${query}` || mutant.from === '') return loaded;
      const parts = String(loaded.source).split(mutant.from);
      matches = parts.length - 1;
      return { ...loaded, source: parts.join(mutant.to) };
    },
  });
  try {
    const room = async (file: string): Promise<object> => (await import(`${ROOM}${file}${query}`)) as object;
    const files = await Promise.all(['engine.ts', 'state.ts', 'header-rules.ts', 'certificates.ts'].map(room));
    assert.equal(matches, mutant.from === '' ? 0 : 1, `${mutant.file} has the text of "${mutant.what}" once`);
    return Object.assign({}, ...files) as Engine;
  } finally {
    hooks.deregister();
  }
}
