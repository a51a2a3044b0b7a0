// A process whose one input never ends: what the watchdog is for.
import { fuzz } from './engine.ts';
import { startWatch } from './watchdog.ts';

const watch = startWatch(1_000);
await fuzz(
  {
    name: 'endless',
    covers: [],
    executions: 1,
    generate: () => Uint8Array.of(10, 11),
    judge: () => {
      for (;;);
    },
  },
  { seed: 1, corpus: [], executions: 1, watch },
);
