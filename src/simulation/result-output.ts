// What a command says on standard output is its result: where it cannot be written, the command has failed, whatever it found. console.log
// says nothing of a full disk, and a pipe whose reader has gone would end the process with a stack trace.

/** A result that could not be written; the message says why. */
export class OutputError extends Error {}

/** Writes a line, or several; fails with `OutputError`. */
export function printLine(line: string): Promise<void> {
  const { stdout } = process;
  return new Promise((resolve, reject) => {
    const ignore = (): void => undefined; // The callback is told as well.
    stdout.once('error', ignore);
    stdout.write(`${line}\n`, (error) => {
      if (error !== null && error !== undefined) return reject(new OutputError(`the result could not be written: ${describe(error)}`));
      stdout.off('error', ignore);
      resolve();
    });
  });
}

function describe(error: NodeJS.ErrnoException): string {
  return error.code === 'EPIPE' ? 'whoever read standard output has gone (EPIPE)' : `standard output: ${error.message}`;
}
