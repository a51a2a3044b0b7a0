// When to stop: Ctrl-C, a polite kill, a hang-up, or the death of the process that started this one (its channel closes even when that
// was killed with -9, so no child is left behind).

/** A Ctrl-C may arrive twice at once, from the terminal and passed on by npm; only a later one is a second. */
const SAME_INTERRUPT_MS = 1_000;

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
  });
}
