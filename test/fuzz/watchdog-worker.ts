// The watchdog's own thread (watchdog.ts).
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { GROWTH_BYTES_MAX, WATCH_LAYOUT, type WatchTask } from './watchdog.ts';

const LOOK_MS = 100;
const STANDARD_ERROR = 2;

const { shared, endlessMs } = workerData as WatchTask;
const words = new Int32Array(shared, 0, 2);
const baseBytes = process.memoryUsage.rss();
let seen = 0;
let sinceMs = 0;

setInterval(() => {
  const number = Atomics.load(words, 0);
  if (number !== seen) {
    seen = number;
    sinceMs = performance.now();
  }
  if (number === 0) return;
  if (performance.now() - sinceMs > endlessMs) end(`takes more than ${endlessMs} ms`);
  const grownBytes = process.memoryUsage.rss() - baseBytes;
  if (grownBytes > GROWTH_BYTES_MAX) end(`makes the process grow by ${grownBytes} bytes`);
}, LOOK_MS);

// The other thread may never come back: nothing but the kernel ends it.
function end(what: string): void {
  const name = Buffer.from(shared.slice(WATCH_LAYOUT.nameAt, WATCH_LAYOUT.inputAt)).toString('utf8').replace(/\0+$/, '');
  const input = Buffer.from(shared.slice(WATCH_LAYOUT.inputAt, WATCH_LAYOUT.inputAt + Atomics.load(words, 1)));
  writeSync(STANDARD_ERROR, `fuzz: ${name} ${what} on the input ${input.toString('hex')}\n`);
  process.kill(process.pid, 'SIGKILL');
}
