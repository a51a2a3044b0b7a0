// coppice_getCommittee: who runs a shard in an epoch; null when this node does not know.
import { data, quantity } from '../json.ts';
import { defineMethod } from '../method.ts';
import { readCount, required } from '../parameter.ts';

/** See the file's head. */
export const getCommittee = defineMethod(
  'coppice_getCommittee',
  [required('shard', readCount), required('epoch', readCount)],
  ({ ports }, shard, epoch) => {
    const committee = ports.node.committee(shard, epoch);
    if (committee === undefined) return null;
    return committee.map((member) => ({
      validator: quantity(member.validator),
      seats: quantity(member.seats),
      blsPublicKey: data(member.blsPublicKey),
    }));
  },
);
