// eth_subscribe: news over WebSocket of new heads, logs, pending transactions, or the state of syncing.
import { accept } from '../../core/primitives/verdict.ts';
import { invalidParams, limitExceeded, notificationsUnsupported, tooManyCriteria } from '../errors.ts';
import { formatHeader } from '../format-block.ts';
import { formatPendingTransaction } from '../format-transaction.ts';
import { data, type JsonValue } from '../json.ts';
import { type LogCriteria, readLogCriteria, sizeOfCriteria, tellLogs } from '../log-filter.ts';
import { defineConnectionMethod } from '../method.ts';
import { expected, optional, type Read, required } from '../parameter.ts';
import type { RpcPorts } from '../ports.ts';
import { formatProgress } from './syncing.ts';

const KINDS = ['newHeads', 'logs', 'newPendingTransactions', 'syncing'] as const;
type Kind = (typeof KINDS)[number];

const EVERY_LOG: LogCriteria = { addresses: [], topics: [] };

const readKind: Read<Kind> = (value) => {
  const kind = KINDS.find((known) => known === value);
  return kind === undefined ? expected(`one of ${KINDS.join(', ')}`, value) : accept(kind);
};

// The second parameter depends on the first: whether to send whole transactions, or which logs.
const readOption: Read<unknown> = (value) => accept(value);

/** See the file's head. */
export const subscribe = defineConnectionMethod(
  'eth_subscribe',
  [required('kind', readKind), optional('option', readOption, undefined)],
  ({ ports, limits, turns, criteria: kept, heads, pendingTransactions }, connection, kind, option) => {
    if (connection === undefined) return notificationsUnsupported();
    if (!connection.hasRoom) return limitExceeded(`too many subscriptions: at most ${limits.subscriptionsPerConnectionMax}`);
    if (heads.size + pendingTransactions.size >= limits.subscriptionsMax)
      return limitExceeded(`too many subscriptions of all connections: at most ${limits.subscriptionsMax}`);
    const { lose } = connection;
    // Where there is no head this throws, before anything is kept for the client.
    if (kind !== 'newPendingTransactions') ports.view.head();
    switch (kind) {
      case 'newHeads':
        return connection.subscribe((notify) => heads.subscribe({ deliver: (block) => notify(formatHeader(block)), lose }));
      case 'syncing':
        return connection.subscribe((notify) => heads.subscribe({ deliver: watchSyncing(ports, notify), lose }));
      case 'logs': {
        const criteria = option === undefined ? accept(EVERY_LOG) : readLogCriteria(option);
        if (!criteria.ok) return invalidParams(`invalid argument 1 (option): ${criteria.detail}`);
        const size = sizeOfCriteria(criteria.value);
        if (!kept.take(size)) return tooManyCriteria();
        return connection.subscribe((notify) => {
          const cancel = heads.subscribe({ deliver: (block) => tellLogs(criteria.value, block, turns, notify), lose });
          return () => {
            cancel();
            kept.give(size);
          };
        });
      }
      case 'newPendingTransactions': {
        if (option !== undefined && typeof option !== 'boolean')
          return invalidParams('invalid argument 1 (option): expected true or false');
        return connection.subscribe((notify) =>
          pendingTransactions.subscribe({
            deliver: (transaction) => notify(option === true ? formatPendingTransaction(transaction) : data(transaction.hash)),
            lose,
          }),
        );
      }
    }
  },
);

// Tells when syncing begins and ends. It can only end by a new head, and is looked at with each.
function watchSyncing(ports: RpcPorts, notify: (news: JsonValue) => void): () => void {
  let wasSyncing = ports.view.syncing() !== undefined;
  return () => {
    const progress = ports.view.syncing();
    if ((progress !== undefined) === wasSyncing) return;
    wasSyncing = progress !== undefined;
    notify(progress === undefined ? false : { syncing: true, status: formatProgress(progress) });
  };
}
