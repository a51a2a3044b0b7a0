// What a check of foreign input says: it is fine, or it is not and why. Bad input from peers and users is normal, so it is a
// value and never an exception.

/** Accepted with the checked value, or refused with a stable reason (used as a metric label) and a detail for people. */
export type Verdict<T, R extends string = string> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: R; readonly detail: string };

/** The verdict of input that passed. */
export function accept<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** The verdict of input that did not: `reason` is a stable kebab-case label, `detail` says what was found and what was expected. */
export function refuse<R extends string>(reason: R, detail = ''): { readonly ok: false; readonly reason: R; readonly detail: string } {
  return { ok: false, reason, detail };
}
