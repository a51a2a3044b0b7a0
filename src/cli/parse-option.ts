// How values of options are read. Each throws commander's error, which names the option.
import { InvalidArgumentError } from 'commander';
import { type Fraction, fractionOfDecimal, isAtMost, whole } from '../core/primitives/fraction.ts';
import { type ChainId, ROOT_SHARD } from '../core/primitives/ids.ts';
import { checkLayout } from '../core/protocol/layout.ts';
import { SHARDS_MAX } from '../core/protocol/limits.ts';
import { contains, leftToRight, uncoveredBy } from '../core/protocol/shard-id.ts';
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

/** Shards that a devnet may have: every validator runs all of them. */
export const DEVNET_SHARDS_MAX = 16;

/** The number of a devnet's shards. */
export function parseDevnetShards(text: string): number {
  const count = parseCount(text);
  if (count > DEVNET_SHARDS_MAX || !Number.isInteger(Math.log2(count))) throw new InvalidArgumentError('It must be 1, 2, 4, 8 or 16.');
  return count;
}

/** The shards of a devnet by their ids, separated by commas, in any order: the layout that they are, left to right. */
export function parseDevnetLayout(text: string): readonly ChainId[] {
  const ids = text.split(',').map((each) => (/^\s*\d{1,6}\s*$/.test(each) ? Number(each) : 0));
  if (ids.length > DEVNET_SHARDS_MAX) throw new InvalidArgumentError(`At most ${DEVNET_SHARDS_MAX} shards.`);
  const layout = checkLayout(ids);
  if (layout.ok) return layout.value;
  if (layout.reason === 'not-a-shard')
    throw new InvalidArgumentError(
      `It must be ids of subtrees, 1 for all and 2i and 2i + 1 for the halves of i, such as ${LAYOUT_EXAMPLE}.`,
    );
  throw new InvalidArgumentError(`Not the whole tree once: ${layout.detail}. A whole one: ${completed(ids).join(',')}.`);
}

const LAYOUT_EXAMPLE = '4,5,3';

// The greatest of the subtrees that are there, and what is missing beside them; where that is too much for a devnet, any whole tree.
function completed(ids: readonly ChainId[]): readonly ChainId[] {
  const outermost = [...new Set(ids)].filter((id) => !ids.some((other) => other !== id && contains(other, id)));
  const whole = leftToRight([...outermost, ...uncoveredBy(ROOT_SHARD, outermost)]);
  return whole.length <= DEVNET_SHARDS_MAX ? whole : LAYOUT_EXAMPLE.split(',').map(Number);
}

/** A whole number of at least 0. */
export function parseNumber(text: string): number {
  const number = Number(text);
  if (!/^\d{1,9}$/.test(text) || number > COUNT_MAX) throw new InvalidArgumentError(`It must be a whole number up to ${COUNT_MAX}.`);
  return number;
}

/** The number of a layout's shards. */
export function parseShards(text: string): number {
  const count = parseCount(text);
  if (count > SHARDS_MAX) throw new InvalidArgumentError(`A layout has at most ${SHARDS_MAX} shards.`);
  return count;
}

/** How many percentages one list may have. */
const PERCENTAGES_MAX = 16;
const HUNDRED = whole(100);
const FACTOR_MAX = whole(1_000);

/** Percentages as they are written, separated by commas: exact numbers from 0 to 100. */
export function parsePercentages(text: string): readonly Fraction[] {
  const percentages = text.split(',').map((each) => fractionOfDecimal(each.trim()));
  if (percentages.length > PERCENTAGES_MAX) throw new InvalidArgumentError(`At most ${PERCENTAGES_MAX} percentages.`);
  return percentages.map((percentage) => {
    if (percentage !== undefined && isAtMost(percentage, HUNDRED)) return percentage;
    throw new InvalidArgumentError('It must be numbers from 0 to 100, separated by commas, such as 20,25,33.3.');
  });
}

/** A probability above 0 and below 1, as 0.001 or 1e-3. */
export function parseProbability(text: string): Fraction {
  const probability = fractionOfDecimal(text);
  if (probability === undefined || probability.numerator === 0n || isAtMost(whole(1), probability)) {
    throw new InvalidArgumentError('It must be a probability above 0 and below 1, such as 0.001 or 1e-6.');
  }
  return probability;
}

/** A factor of at least 1, as 2 or 1.5. */
export function parseFactor(text: string): Fraction {
  const factor = fractionOfDecimal(text);
  if (factor === undefined || !isAtMost(whole(1), factor) || !isAtMost(factor, FACTOR_MAX)) {
    throw new InvalidArgumentError('It must be a number from 1 to 1000, such as 1.5.');
  }
  return factor;
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
