// Connections from outside that came to nothing before there was a peer: libp2p tells only its metrics of them, by the name of the
// error. Bytes that are no handshake are such, and an operator should see them.
import type { CounterGroup, Metrics } from '@libp2p/interface';

/** libp2p's counter of failed inbound connections by the error's name (its connection upgrader). */
const INBOUND_ERRORS = 'libp2p_connection_manager_dials_inbound_errors_total';
/** A connection that `connectionGater` refused: whoever refused it has counted it. */
const REFUSED_BY_GATER = 'ConnectionInterceptedError';
/** libp2p's own bounds on connections refused it. */
const TOO_MANY = 'ConnectionDeniedError';

/** Metrics for libp2p that know of nothing else: `onFailed` is told why of each inbound connection that failed. */
export function watchInboundFailures(onFailed: (reason: 'handshake-failed' | 'too-many-connections') => void): () => Metrics {
  const inboundErrors: CounterGroup = {
    increment: (errors) => {
      for (const name of Object.keys(errors)) {
        if (name !== REFUSED_BY_GATER) onFailed(name === TOO_MANY ? 'too-many-connections' : 'handshake-failed');
      }
    },
    reset: () => undefined,
  };
  const metrics = {
    trackMultiaddrConnection: () => undefined,
    trackProtocolStream: () => undefined,
    registerMetric: () => SILENT,
    registerMetricGroup: () => SILENT,
    registerCounter: () => SILENT,
    registerCounterGroup: (name: string) => (name === INBOUND_ERRORS ? inboundErrors : SILENT),
    registerHistogram: () => SILENT,
    registerHistogramGroup: () => SILENT,
    registerSummary: () => SILENT,
    registerSummaryGroup: () => SILENT,
    traceFunction: <F>(_name: string, traced: F): F => traced,
    createTrace: () => undefined,
  };
  return () => metrics as Metrics;
}

const SILENT = {
  update: () => undefined,
  increment: () => undefined,
  decrement: () => undefined,
  observe: () => undefined,
  reset: () => undefined,
  timer: () => () => undefined,
};
