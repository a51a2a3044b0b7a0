// Traces of the formal model as Quint writes them (the Informal Trace Format, JSON), as plain values. Records become objects, sets and
// lists arrays, maps pairs of key and value; integers are small.

/** A QC or CC; block 0 stands for none. */
export interface ModelCertificate {
  readonly block: number;
  readonly signers: readonly number[];
}

/** A TC; round 0 stands for none. */
export interface ModelTimeoutCertificate {
  readonly round: number;
  readonly reported: readonly (readonly [number, number])[];
  readonly high: ModelCertificate;
}

/** See spec/world.qnt. */
export interface ModelTimeout {
  readonly validator: number;
  readonly round: number;
  readonly high: ModelCertificate;
}

/** See spec/world.qnt. */
export interface ModelBlock {
  readonly round: number;
  readonly height: number;
  readonly parent: number;
  readonly proposer: number;
  readonly justify: ModelCertificate;
  readonly tc: ModelTimeoutCertificate;
}

interface ModelRecord {
  readonly lastVoted: number;
  readonly lastCommitVoted: number;
  readonly lastProposed: number;
  readonly lastTimeout: number;
  readonly high: ModelCertificate;
  readonly tc: ModelTimeoutCertificate;
}

/** What the model remembers of an honest validator. */
export interface ModelNode {
  readonly round: number;
  readonly rec: ModelRecord;
  readonly durable: ModelRecord;
  readonly committed: number;
  readonly pending: { readonly block: number; readonly hasQc: boolean };
  readonly nearest: number;
  readonly waiting: readonly number[];
  readonly opened: readonly number[];
  readonly valid: readonly number[];
  readonly certified: readonly number[];
  readonly stored: readonly number[];
  readonly timeouts: readonly (readonly [number, ModelTimeout])[];
  readonly aggregated: number;
  readonly out: {
    readonly votes: readonly number[];
    readonly commitVotes: readonly number[];
    readonly timeouts: readonly ModelTimeout[];
    readonly commits: readonly number[];
    readonly persisted: boolean;
  };
}

/** What happened between two states. */
export interface ModelAction {
  readonly name: string;
  readonly node: number;
  readonly block: number;
  readonly certificate: ModelCertificate;
  readonly qc: ModelCertificate;
  readonly tc: ModelTimeoutCertificate;
  readonly timeout: ModelTimeout;
}

/** A state of the model, with the action that led to it. */
export interface ModelState {
  readonly blocks: readonly ModelBlock[];
  readonly nodes: readonly (readonly [number, ModelNode])[];
  readonly leaders: readonly (readonly [readonly [number, number], number])[];
  readonly setup: { readonly rulesOff: readonly string[]; readonly closingHeight: number };
  readonly last: ModelAction;
}

/** The states of a trace, the first one included: of the model of consensus, if nothing else is said. */
export function readTrace<State = ModelState>(text: string): readonly State[] {
  const { states } = JSON.parse(text, (_key, value: unknown) => plain(value)) as { readonly states: readonly State[] };
  return states;
}

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const [tag, inner] of Object.entries(value)) {
    if (tag === '#bigint') return Number(inner);
    if (tag === '#set' || tag === '#tup' || tag === '#map') return inner;
  }
  return value;
}
