// eth_unsubscribe.
import { notificationsUnsupported, subscriptionNotFound } from '../errors.ts';
import { readFilterId } from '../filter-id.ts';
import { defineConnectionMethod } from '../method.ts';
import { required } from '../parameter.ts';

/** See the file's head. */
export const unsubscribe = defineConnectionMethod(
  'eth_unsubscribe',
  [required('subscription', readFilterId)],
  (_context, connection, id) => {
    if (connection === undefined) return notificationsUnsupported();
    return connection.unsubscribe(id) ? true : subscriptionNotFound();
  },
);
