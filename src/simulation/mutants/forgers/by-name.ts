// The forgers by their names.
import type { ForgerName, WrongField } from '../trial.ts';
import { mismatchedPair, oldJustify, shortCertificates, unsignedCertificates, unsignedTimeouts } from './certificates.ts';
import type { Forgery } from './hand.ts';
import { lyingServer } from './lying-server.ts';
import { twoBlocks } from './two-blocks.ts';
import { wrongField } from './wrong-field.ts';

const FORGERIES: Readonly<Record<Exclude<ForgerName, `wrong-${WrongField}`>, () => Forgery>> = {
  'two-blocks': twoBlocks,
  'short-certificates': shortCertificates,
  'unsigned-certificates': unsignedCertificates,
  'unsigned-timeouts': unsignedTimeouts,
  'old-justify': oldJustify,
  'lying-server': lyingServer,
  'mismatched-pair': mismatchedPair,
};

/** What the forger of this name does. */
export function forgeryOf(name: ForgerName): Forgery {
  return isWrongField(name) ? wrongField(name.slice('wrong-'.length) as WrongField) : FORGERIES[name]();
}

function isWrongField(name: ForgerName): name is `wrong-${WrongField}` {
  return name.startsWith('wrong-');
}
