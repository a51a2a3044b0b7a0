// When a node begins to take part in consensus: what a leader says before anybody hears it is lost, and with it a whole round's time.
import type { Peers } from '../network/ports.ts';
import type { Clock } from '../runtime/ports.ts';

/** Whom to wait for, and how long. */
export interface Neighbours {
  readonly peers: Pick<Peers, 'connected' | 'onChange'>;
  readonly clock: Pick<Clock, 'schedule'>;
  /** Validators of the chain, this node among them. */
  readonly validatorCount: number;
  readonly waitMsMax: number;
}

/** Calls `begin` once: as soon as more than two thirds of the validators are there, this node included, or after `waitMsMax`. */
export function beginTogether({ peers, clock, validatorCount, waitMsMax }: Neighbours, begin: () => void): void {
  const others = Math.floor((2 * validatorCount) / 3);
  let hasBegun = false;
  let unheard: (() => void) | undefined;
  const beginOnce = (): void => {
    if (hasBegun) return;
    hasBegun = true;
    unheard?.();
    begin();
  };
  const beginIfThere = (): void => {
    if (peers.connected().length >= others) beginOnce();
  };
  beginIfThere();
  if (hasBegun) return;
  unheard = peers.onChange(beginIfThere);
  clock.schedule(waitMsMax, beginOnce);
}
