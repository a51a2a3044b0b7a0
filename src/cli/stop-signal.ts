// When to stop: Ctrl-C, a polite kill, a hang-up, or the death of the process that started this one (its channel closes even when that
// was killed with -9, so no child is left behind).

/** Resolves at the first of them. A second Ctrl-C ends the process at once. */
export function nextStopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (): void => {
      if (stopping) process.exit(130);
      stopping = true;
      resolve();
    };
    process.on('SIGINT', stop);
    process.once('SIGTERM', () => resolve());
    process.once('SIGHUP', () => resolve());
    process.once('disconnect', () => resolve());
  });
}
