// States of the formal model of handover and lanes (spec/handover), as model-trace.ts reads them from a trace: what the replay looks at.

/** A coin on its way. */
export interface HandoverMessage {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  readonly destination: number;
}

/** See spec/handover/world.qnt. */
export interface HandoverSource {
  readonly startHeight: number;
  readonly anchoredHeight: number;
  readonly lastBundleHeight: number;
  readonly outboxes: readonly {
    readonly height: number;
    readonly beaconHeight: number;
    readonly operation: number;
    readonly messages: readonly HandoverMessage[];
  }[];
}

/** By source and prefix. */
export type HandoverCursors = readonly (readonly [readonly [number, number], { readonly height: number; readonly index: number }])[];

/** See spec/handover/world.qnt. */
export interface HandoverBlock {
  readonly role: string;
  readonly reference: number;
  readonly taken: readonly HandoverMessage[];
  readonly outbox: readonly HandoverMessage[];
  readonly after: { readonly cursors: HandoverCursors };
}

/** A start record and its instance. */
export interface HandoverInstance {
  readonly shard: number;
  readonly epoch: number;
  readonly height: number;
  readonly start: { readonly cursors: HandoverCursors };
  readonly blocks: readonly HandoverBlock[];
}

/** A record in a state of the beacon. */
export interface HandoverEntry {
  readonly record: number;
  readonly linked: number;
}

/** A state of the beacon. */
export interface HandoverBeaconState {
  readonly records: readonly HandoverEntry[];
  readonly sources: readonly (readonly [number, HandoverSource])[];
}

/** A state of the model, with what led to it. */
export interface HandoverState {
  readonly setup: { readonly rulesOff: readonly string[] };
  readonly beaconStates: readonly HandoverBeaconState[];
  readonly layouts: readonly (readonly number[])[];
  readonly instances: readonly HandoverInstance[];
  readonly last: {
    readonly names: readonly string[];
    readonly record: number;
    readonly held: readonly number[];
    readonly room: number;
    readonly counts: readonly (readonly [number, number])[];
  };
}
