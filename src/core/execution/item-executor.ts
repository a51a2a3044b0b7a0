// The port to the EVM: runs the code of one item. The implementation behind it is evm/; a differential twin on the library's own
// loop stands in the tests. Nothing of the library's types or error texts passes this interface (protocol, section 10.9).
import type { Address } from '../primitives/ids.ts';
import type { ExecutionContext, Message } from '../protocol/message.ts';
import type { Halt } from './halt-reason.ts';
import type { ItemState } from './item-state.ts';

/** A call or creation at depth 0. Its value was debited where it was sent: executing it only credits. */
export interface ItemCall {
  readonly state: ItemState;
  readonly message: Message;
  readonly context: ExecutionContext;
  /** GASLIMIT as code sees it. */
  readonly gasLimitSeenByCode: number;
  /** Called every so often while code runs, so that the host's event loop lives. */
  readonly pause?: (() => Promise<void>) | undefined;
}

/** What came of it. On anything but success the state is as it was before the call. */
export interface CallOutcome {
  readonly outcome: 'success' | 'revert' | 'failure';
  readonly gasUsed: number;
  readonly returnData: Uint8Array;
  readonly createdAddress: Address | undefined;
  /** Of a failure: why the first frame halted. For simulations; whoever executes blocks must not look at it. */
  readonly halt?: Halt | undefined;
}

/** Runs one item at a time: two at once on one executor would mix their frames, so the executor refuses. */
export interface ItemExecutor {
  readonly name: string;
  /** True for the addresses of precompiled contracts: never foreign, and no value can be sent to them. */
  isPrecompile(addressHex: string): boolean;
  /** A promise only where something was waited for: the host's turn, or a precompile that answers later. */
  execute(call: ItemCall): CallOutcome | Promise<CallOutcome>;
}
