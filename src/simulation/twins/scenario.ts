// What a Twins scenario is made of (Bano et al., "Twins: BFT Systems Made Robust", 2020): for each round a leader, a partition of the
// nodes and how long it lasts. And which scenarios are the same but for the numbers of the validators, so that one of them is enough.

/** Validators, each one node, and those of them that run a second node with the same keys. */
export interface Cast {
  readonly validators: number;
  /** The first so many validators are twins; their second nodes come after all others. */
  readonly twins: number;
}

/** How long the partition of a round lasts. */
export type Span =
  /** To the round's end, its timeouts and what is said again included. */
  | 'whole-round'
  /** Until timers run out: timeouts are heard by all, and so is, after them, what was held back. */
  | 'until-timeouts'
  /** As before, but all votes and commit votes of the round are heard in the next round only, after its proposal. */
  | 'votes-late';

const SPANS: readonly Span[] = ['whole-round', 'until-timeouts', 'votes-late'];

/** The group of each node; nodes of different groups do not hear each other. Groups are numbered in the order of their first nodes. */
export type Partition = readonly number[];

/** What the network does in one round. */
export interface RoundPlan {
  readonly partition: Partition;
  readonly span: Span;
}

/** A renaming of nodes that makes one scenario of another: the new number of each node, and of each validator. */
export interface Renaming {
  readonly nodes: readonly number[];
  readonly validators: readonly number[];
}

/** How many nodes there are. */
export function nodeCountOf({ validators, twins }: Cast): number {
  return validators + twins;
}

/** Whose keys a node has. */
export function validatorOf({ validators }: Cast, node: number): number {
  return node < validators ? node : node - validators;
}

/** What may happen in a round, by the names of the sets; each set is the same after every renaming. */
export const PLAN_SETS = {
  /**
   * At most two groups for a whole round, each with somebody who has no twin, or no cut and late votes: few enough for three rounds. (A group of
   * twins alone is as good as silent.)
   */
  cuts: (cast: Cast): readonly RoundPlan[] => [
    ...plansOf(cast, 2, ['whole-round']).filter(({ partition }) =>
      [...new Set(partition)].every((group) => hasHonest(cast, partition, group)),
    ),
    ...plansOf(cast, 1, ['votes-late']),
  ],
  /** At most two groups, each span. */
  'two-groups': (cast: Cast): readonly RoundPlan[] => plansOf(cast, 2, SPANS),
  /** Every partition, each span. */
  all: (cast: Cast): readonly RoundPlan[] => plansOf(cast, nodeCountOf(cast), SPANS),
} as const;
export type PlanSet = keyof typeof PLAN_SETS;

function hasHonest(cast: Cast, partition: Partition, group: number): boolean {
  return partition.some((other, node) => other === group && validatorOf(cast, node) >= cast.twins);
}

function plansOf(cast: Cast, groupsMax: number, spans: readonly Span[]): readonly RoundPlan[] {
  return partitionsOf(nodeCountOf(cast), groupsMax).flatMap((partition) => spans.map((span) => ({ partition, span })));
}

/** All partitions of so many nodes into at most so many groups. */
function partitionsOf(nodes: number, groupsMax: number): readonly Partition[] {
  let partial: readonly Partition[] = [[]];
  for (let node = 0; node < nodes; node++) {
    partial = partial.flatMap((partition) => {
      const groups = Math.max(-1, ...partition) + 1;
      return Array.from({ length: Math.min(groups + 1, groupsMax) }, (_unused, group) => [...partition, group]);
    });
  }
  return partial;
}

/** Every renaming that leaves who is whose twin as it is. */
export function renamingsOf(cast: Cast): readonly Renaming[] {
  const renamings: Renaming[] = [];
  for (const nodes of permutationsOf(nodeCountOf(cast))) {
    const validators = new Array<number>(cast.validators).fill(-1);
    const isFaithful = nodes.every((renamed, node) => {
      const [from, to] = [validatorOf(cast, node), validatorOf(cast, renamed)];
      if (validators[from] === -1) validators[from] = to;
      return validators[from] === to;
    });
    if (isFaithful && new Set(validators).size === cast.validators) renamings.push({ nodes, validators });
  }
  return renamings;
}

/** The plan after a renaming, as text. */
export function nameOfPlan({ partition, span }: RoundPlan, renaming?: Renaming): string {
  return `${(renaming === undefined ? partition : renamedPartition(partition, renaming)).join('')} ${span}`;
}

function renamedPartition(partition: Partition, { nodes }: Renaming): Partition {
  const groups = new Array<number>(partition.length);
  for (const [node, renamed] of nodes.entries()) groups[renamed] = partition[node] as number;
  const numberOf = new Map<number, number>();
  return groups.map((group) => {
    const known = numberOf.get(group) ?? numberOf.size;
    numberOf.set(group, known);
    return known;
  });
}

/** Of all sequences of leaders of so many rounds, the least one of each class of equals, with the renamings that leave it as it is. */
export function leaderSequencesOf(
  cast: Cast,
  rounds: number,
  renamings: readonly Renaming[],
): readonly { readonly leaders: readonly number[]; readonly renamings: readonly Renaming[] }[] {
  let sequences: { leaders: readonly number[]; renamings: readonly Renaming[] }[] = [{ leaders: [], renamings }];
  for (let round = 0; round < rounds; round++) {
    sequences = sequences.flatMap(({ leaders, renamings: left }) =>
      Array.from({ length: cast.validators }, (_unused, leader) => leader)
        .filter((leader) => left.every(({ validators }) => (validators[leader] as number) >= leader))
        .map((leader) => ({ leaders: [...leaders, leader], renamings: left.filter(({ validators }) => validators[leader] === leader) })),
    );
  }
  return sequences;
}

function permutationsOf(count: number): readonly (readonly number[])[] {
  if (count === 0) return [[]];
  return permutationsOf(count - 1).flatMap((shorter) =>
    Array.from({ length: count }, (_unused, place) => [...shorter.slice(0, place), count - 1, ...shorter.slice(place)]),
  );
}
