// eth_estimateGas: the gas to buy. Gas bought is gas paid (protocol, section 5), so the margin is small and stated: the least limit with
// which every hop succeeds, and 5 % for a state that moves on until the transaction runs.
//
// A transaction that is sent now runs on what is pending, so `latest` means the pending state here; an older block means that block.
import { NO_BLOCK_OVERRIDES, readBlockOverrides, refusalOf } from '../block-override.ts';
import { PENDING, readBlockSelector, stateOf } from '../block-selector.ts';
import { readCallRequest } from '../call-request.ts';
import { callFailure, RpcError } from '../errors.ts';
import { quantity } from '../json.ts';
import { defineMethod } from '../method.ts';
import { optional, required } from '../parameter.ts';
import { NO_OVERRIDES, overrideState, readStateOverrides } from '../state-override.ts';

const MARGIN_PERCENT = 5;

/** See the file's head. */
export const estimateGas = defineMethod(
  'eth_estimateGas',
  [
    required('transaction', readCallRequest),
    optional('block', readBlockSelector, PENDING),
    optional('stateOverrides', readStateOverrides, NO_OVERRIDES),
    optional('blockOverrides', readBlockOverrides, NO_BLOCK_OVERRIDES),
  ],
  async ({ ports }, request, block, stateOverrides, overrides) => {
    const refusal = refusalOf(overrides);
    if (refusal !== undefined) return refusal;
    const selected = await stateOf(block.kind === 'latest' ? PENDING : block, ports);
    if (selected instanceof RpcError) return selected;
    const state = overrideState(selected.state, stateOverrides);
    const outcome = await ports.simulator.estimate(request, { state, block: selected.block, overrides });
    if (outcome.kind !== 'success') return callFailure(request.from, outcome);
    const padded = Math.ceil((outcome.gasLimit * (100 + MARGIN_PERCENT)) / 100);
    return quantity(Math.max(outcome.gasLimit, Math.min(padded, ports.node.transactionGasLimitMax)));
  },
);
