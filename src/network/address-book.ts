// Where validators can be reached: of each the newest record that it signed (core/protocol/address-record.ts). Bounded by the number of
// validators, because nobody else has a record here. Who puts one in has verified it.
import { VALIDATORS_MAX } from '../core/beacon/state.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { ValidatorIndex } from '../core/primitives/ids.ts';
import type { SignedAddress } from '../core/protocol/address-record.ts';

/** A record beside what is known of its validator: only news is looked at, kept and told to others. */
export type Newness = 'news' | 'known' | 'older';

/** See the file's head. */
export class AddressBook {
  readonly #newest = new Map<ValidatorIndex, SignedAddress>();

  get size(): number {
    return this.#newest.size;
  }

  /** Whether a record with this sequence number would be news. Two of one number are one record: which of them came first here. */
  newnessOf({ record: { validator, sequence } }: Pick<SignedAddress, 'record'>): Newness {
    const known = this.#newest.get(validator)?.record.sequence;
    if (known === undefined || sequence > known) return 'news';
    return sequence === known ? 'known' : 'older';
  }

  /** Keeps a record that is news; says whether it was. */
  put(signed: SignedAddress): boolean {
    if (this.newnessOf(signed) !== 'news') return false;
    const { validator } = signed.record;
    invariant(validator < VALIDATORS_MAX, 'a record is of a validator');
    this.#newest.set(validator, signed);
    return true;
  }

  /** The newest record of a validator. */
  get(validator: ValidatorIndex): SignedAddress | undefined {
    return this.#newest.get(validator);
  }

  /** Who has a record, ascending. */
  validators(): readonly ValidatorIndex[] {
    return [...this.#newest.keys()].sort((a, b) => a - b);
  }
}
