// What commands say: results to standard output, everything else to standard error.

/** A line of the result. */
export function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A line for people that is no result. */
export function printNotice(line: string): void {
  process.stderr.write(`${line}\n`);
}
