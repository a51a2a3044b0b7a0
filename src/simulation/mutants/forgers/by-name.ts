// The forgers by their names.
import { type ForgerName, WRONG_BEACON_FIELDS, type WrongBeaconField, type WrongField } from '../trial.ts';
import { mismatchedPair, oldJustify, shortCertificates, unsignedCertificates, unsignedTimeouts } from './certificates.ts';
import type { Forgery } from './hand.ts';
import { lyingServer } from './lying-server.ts';
import { twoBlocks } from './two-blocks.ts';
import { wrongBeaconField } from './wrong-beacon-field.ts';
import { wrongField } from './wrong-field.ts';

const FORGERIES: Readonly<Record<Exclude<ForgerName, WrongName>, () => Forgery>> = {
  'two-blocks': twoBlocks,
  'short-certificates': shortCertificates,
  'unsigned-certificates': unsignedCertificates,
  'unsigned-timeouts': unsignedTimeouts,
  'old-justify': oldJustify,
  'lying-server': lyingServer,
  'mismatched-pair': mismatchedPair,
};

type WrongName = `wrong-${WrongField | WrongBeaconField}`;

/** What the forger of this name does. */
export function forgeryOf(name: ForgerName): Forgery {
  if (!isWrongName(name)) return FORGERIES[name]();
  const field = name.slice('wrong-'.length) as WrongField | WrongBeaconField;
  return isOfBeacon(field) ? wrongBeaconField(field) : wrongField(field);
}

function isWrongName(name: ForgerName): name is WrongName {
  return name.startsWith('wrong-');
}

function isOfBeacon(field: WrongField | WrongBeaconField): field is WrongBeaconField {
  return (WRONG_BEACON_FIELDS as readonly string[]).includes(field);
}
