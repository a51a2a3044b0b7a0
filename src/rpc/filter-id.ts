// Ids of filters and subscriptions as clients name them.
import { accept } from '../core/primitives/verdict.ts';
import { expected, type Read } from './parameter.ts';

/** A quantity of up to 128 bits, as text: ids are compared, not counted with. */
export const readFilterId: Read<string> = (value) =>
  typeof value === 'string' && /^0x[0-9a-f]{1,32}$/.test(value) ? accept(value) : expected('an id in 0x-prefixed hexadecimal', value);
