// How values of options are read. Each throws commander's error, which names the option.
import { InvalidArgumentError } from 'commander';
import { faultOfPeerAddress } from '../node/peer-address.ts';

const COUNT_MAX = 2 ** 21;

/** A whole number of at least 1. */
export function parseCount(text: string): number {
  const count = parseNumber(text);
  if (count < 1) throw new InvalidArgumentError('It must be at least 1.');
  return count;
}

/** How many validators one machine can be asked to run: each is a process of about 220 MiB. */
export const DEVNET_VALIDATORS_MAX = 32;

/** The number of a devnet's validators. */
export function parseValidators(text: string): number {
  const count = parseCount(text);
  if (count > DEVNET_VALIDATORS_MAX) {
    throw new InvalidArgumentError(`At most ${DEVNET_VALIDATORS_MAX}: each is a process of about 220 MiB on this machine.`);
  }
  return count;
}

/** A whole number of at least 0. */
export function parseNumber(text: string): number {
  const number = Number(text);
  if (!/^\d{1,9}$/.test(text) || number > COUNT_MAX) throw new InvalidArgumentError(`It must be a whole number up to ${COUNT_MAX}.`);
  return number;
}

/** A port of which so many more above it are used. */
export function parseBasePort(text: string): number {
  const port = parseNumber(text);
  if (port < 1 || port > 60_000) throw new InvalidArgumentError('It must be a port from 1 to 60000.');
  return port;
}

/** 0x and 40 hexadecimal digits. */
export function parseAddress(text: string): string {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw new InvalidArgumentError('It must be 0x and 40 hexadecimal digits.');
  return text;
}

/** Collects addresses of peers. */
export function collectPeer(text: string, before: readonly string[]): readonly string[] {
  const fault = faultOfPeerAddress(text);
  if (fault !== undefined) throw new InvalidArgumentError(fault);
  return collect(text, before);
}

/** Collects an option that may be given several times. */
export function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}
