// What the network can fail with, and the facts that each report brings along.

/** Why a request brought no answer; a label for metrics and for choosing what to do next. */
export type RequestFailure =
  | 'not-connected'
  | 'too-many-requests'
  | 'timeout'
  | 'aborted'
  | 'reset'
  | 'request-too-large'
  | 'response-too-large'
  | 'bad-frame'
  | 'unsupported-protocol';

declare module '../core/primitives/errors.ts' {
  interface ErrorFacts {
    'network/closed': { readonly operation: string };
    'network/message-too-large': { readonly topic: string; readonly bytes: number; readonly bytesMax: number };
    'network/too-many-topics': { readonly topic: string; readonly topicsMax: number };
    'network/topic-not-allowed': { readonly topic: string };
    'network/request-failed': {
      readonly peer: string;
      readonly protocol: string;
      readonly failure: RequestFailure;
      readonly detail: string;
    };
  }
}
