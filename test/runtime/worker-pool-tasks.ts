// First bytes of tasks by which worker-pool.test.ts tells its worker how to misbehave.

/** Throw. */
export const FAIL = 251;
/** End the thread. */
export const QUIT = 252;
/** Never answer. */
export const HANG = 253;
