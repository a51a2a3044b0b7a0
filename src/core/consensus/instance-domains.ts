// The domains of an instance: every signature of it that is made or verified needs one, and there are five.
import { domainRoot, type SignatureKind } from '../crypto/domains.ts';
import type { Instance } from '../protocol/committee.ts';

const domains = new WeakMap<Instance, Map<SignatureKind, Uint8Array>>();

/** The root of one of its domains, made once. */
export function domainOf(instance: Instance, kind: SignatureKind): Uint8Array {
  const known = domains.get(instance) ?? new Map<SignatureKind, Uint8Array>();
  domains.set(instance, known);
  const root = known.get(kind) ?? domainRoot(kind, instance.genesisRoot, instance.instanceId);
  known.set(kind, root);
  return root;
}
