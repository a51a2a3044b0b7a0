// When to stop: Ctrl-C, a polite kill, a hang-up, or the death of the process that started this one, even by kill -9, so that none is
// left behind: a validator of a devnet loses its channel, everything else gets another parent.

/** A Ctrl-C may arrive twice at once, from the terminal and passed on by npm; only a later one is a second. */
const SAME_INTERRUPT_MS = 1_000;
const PARENT_CHECK_MS = 500;

/** Resolves at the first of them. A second Ctrl-C ends the process at once; other signals change nothing while it stops. */
export function nextStopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let interruptedAtMs: number | undefined;
    process.on('SIGINT', () => {
      const nowMs = performance.now();
      if (interruptedAtMs !== undefined && nowMs - interruptedAtMs > SAME_INTERRUPT_MS) process.exit(130);
      interruptedAtMs ??= nowMs;
      resolve();
    });
    process.on('SIGTERM', () => resolve());
    process.on('SIGHUP', () => resolve());
    process.on('disconnect', () => resolve());
    // The parent is scripts/coppice.mjs, which outlives the shell that it was started from; so `nohup coppice node &` stays.
    const parent = process.ppid;
    const check = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(check);
      resolve();
    }, PARENT_CHECK_MS);
    check.unref();
  });
}
