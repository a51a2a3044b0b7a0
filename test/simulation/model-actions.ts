// The actions of the formal models, read from their text: an action that is added to a model is asked of the traces by itself.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { invariant } from '../../src/core/primitives/errors.ts';

const SPEC = join(import.meta.dirname, '../../spec');
/** In consensus.qnt, what happened is written where a node becomes what it is then. */
const NAMED_FIELD = /name: "[^"]+"/g;
/** In handover, it is `named`, or added to what a beacon block did; a line that ends with an arrow goes on in the next. */
const NAMED_SET = /(?:named\(|happened: ).*(?:(?<==>)\n.*)?/g;

/** What `last.name` can be after a step of the model of consensus. */
export function actionsOfConsensus(): ReadonlySet<string> {
  return literalsIn([...textOf('consensus.qnt').matchAll(NAMED_FIELD)].map(([text]) => text));
}

/** What `last.names` can hold after a step of the model of handover. */
export function actionsOfHandover(): ReadonlySet<string> {
  const texts = ['handover/shards.qnt', 'handover/beacon.qnt'].map(textOf);
  return literalsIn(texts.flatMap((text) => [...text.matchAll(NAMED_SET)].map(([match]) => match)));
}

/** How often each action occurs in traces, those that never do included. */
export function countActions(actions: ReadonlySet<string>, seen: Iterable<string>): ReadonlyMap<string, number> {
  const counts = new Map([...actions].map((action) => [action, 0]));
  for (const name of seen) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function textOf(file: string): string {
  return readFileSync(join(SPEC, file), 'utf8').replace(/keeps\("[^"]*"\)/g, '');
}

function literalsIn(texts: readonly string[]): ReadonlySet<string> {
  const literals = texts.flatMap((text) => [...text.matchAll(/"([^"]+)"/g)].map(([, literal = '']) => literal));
  invariant(literals.length > 8, 'the actions of a model are found in its text');
  return new Set(literals);
}
