// eth_call: runs a call without effect on a version of the state, and returns what it returned.
import { NO_BLOCK_OVERRIDES, readBlockOverrides, refusalOf } from '../block-override.ts';
import { LATEST, readBlockSelector, stateOf } from '../block-selector.ts';
import { readCallRequest } from '../call-request.ts';
import { callFailure, RpcError } from '../errors.ts';
import { data } from '../json.ts';
import { defineMethod } from '../method.ts';
import { optional, required } from '../parameter.ts';
import { NO_OVERRIDES, overrideState, readStateOverrides } from '../state-override.ts';

/** See the file's head. */
export const call = defineMethod(
  'eth_call',
  [
    required('transaction', readCallRequest),
    optional('block', readBlockSelector, LATEST),
    optional('stateOverrides', readStateOverrides, NO_OVERRIDES),
    optional('blockOverrides', readBlockOverrides, NO_BLOCK_OVERRIDES),
  ],
  async ({ ports }, request, block, stateOverrides, overrides) => {
    const refusal = refusalOf(overrides);
    if (refusal !== undefined) return refusal;
    const selected = await stateOf(block, ports);
    if (selected instanceof RpcError) return selected;
    const state = overrideState(selected.state, stateOverrides);
    const outcome = await ports.simulator.call(request, { state, block: selected.block, overrides });
    return outcome.kind === 'success' ? data(outcome.returnData) : callFailure(request.from, outcome);
  },
);
