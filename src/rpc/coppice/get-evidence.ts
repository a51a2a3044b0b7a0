// coppice_getEvidence: what this node can prove against validators of a shard; null for a shard that is not in use.
import { data, quantity } from '../json.ts';
import { defineMethod } from '../method.ts';
import { readCount, required } from '../parameter.ts';

/** See the file's head. */
export const getEvidence = defineMethod('coppice_getEvidence', [required('shard', readCount)], ({ ports, limits }, shard) => {
  const known = ports.node.evidence(shard);
  if (known === undefined) return null;
  return known.slice(-limits.evidenceMax).map(({ id, kind, round, guilty, encoded }) => ({
    id: data(id),
    kind,
    round: quantity(round),
    validators: guilty.map(quantity),
    encoded: data(encoded),
  }));
});
