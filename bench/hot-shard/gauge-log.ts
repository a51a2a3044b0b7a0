// The gauges of all nodes over the time of a run: fees as they rise and fall, and the most that ever waited anywhere.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChainId } from '../../src/core/primitives/ids.ts';
import type { Devnet } from '../../test/system/devnet-fixture.ts';
import { metricsUrl, round } from '../devnet/measurement.ts';
import { greatestOf, type NodeGauges, readGauges } from './node-gauges.ts';

const SAMPLE_MS = 2_000;

/** See the file's head. */
export class GaugeLog {
  readonly #devnet: Devnet;
  readonly #hot: ChainId;
  readonly #startMs = performance.now();
  readonly #fees: { readonly second: number; readonly hotGwei: number; readonly othersGweiMax: number; readonly pooled: number }[] = [];
  #most: NodeGauges['queues'] | undefined;
  #isWanted = true;

  constructor(devnet: Devnet, hot: ChainId) {
    this.#devnet = devnet;
    this.#hot = hot;
    void this.#run();
  }

  /** Whether the hot shard charges what it charged at first. */
  isHotCheap(): boolean {
    return (this.#fees.at(-1)?.hotGwei ?? 0) <= (this.#fees[0]?.hotGwei ?? 0);
  }

  /** Stops, and tells. */
  stop() {
    this.#isWanted = false;
    const hot = this.#fees.map(({ hotGwei }) => hotGwei);
    const others = this.#fees.map(({ othersGweiMax }) => othersGweiMax);
    return {
      hotBaseFeeGwei: { first: hot[0] ?? 0, most: Math.max(0, ...hot), last: hot.at(-1) ?? 0 },
      othersBaseFeeGweiMax: Math.max(...others),
      queuesMost: this.#most,
      overTime: this.#fees,
    };
  }

  async #run(): Promise<void> {
    for (; this.#isWanted; await sleep(SAMPLE_MS)) {
      try {
        const all = await Promise.all(this.#devnet.validators.map((_validator, i) => readGauges(metricsUrl(this.#devnet, i))));
        for (const { queues } of all) this.#most = this.#most === undefined ? queues : greatestOf(this.#most, queues);
        const [first] = all as [NodeGauges, ...NodeGauges[]];
        const others = [...first.baseFeeGwei].filter(([chain]) => chain !== 0 && chain !== this.#hot).map(([, gwei]) => gwei);
        this.#fees.push({
          second: round((performance.now() - this.#startMs) / 1_000, 0),
          hotGwei: first.baseFeeGwei.get(this.#hot) ?? 0,
          othersGweiMax: Math.max(0, ...others),
          pooled: first.queues.coppice_mempool_transactions,
        });
      } catch {
        // A node that is too busy to answer is asked again.
      }
    }
  }
}
