// How the network tells an operator what happens; the runtime decides where it goes.

/** `event` is a stable kebab-case label, `facts` what belongs to it. */
export type NetworkLog = (level: 'debug' | 'info' | 'warn', event: string, facts: Readonly<Record<string, string | number>>) => void;
