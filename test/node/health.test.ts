import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommitNews } from '../../src/node/commit-news.ts';
import { type ChainProgress, healthOf, notFinalAfterMs, stallAfterMs } from '../../src/node/health.ts';

const parameters = { idleIntervalMs: 1_000, roundTimeoutMs: 1_000 };
const moving: ChainProgress = {
  chain: 1,
  isRunning: true,
  committedHeight: 9,
  finalizedHeight: 8,
  round: 12,
  lastCommitMs: 100_000,
  lastFinalMs: 99_000,
  catchingUpTo: undefined,
};

describe('health', () => {
  it('is given while each chain commits within its silence', () => {
    const health = healthOf([moving], 3, 100_000 + stallAfterMs(parameters), parameters);
    assert.ok(health.healthy);
    assert.equal(health.peers, 3);
    assert.deepEqual(health.chains[0], { ...moving, silentMs: 6_000, notFinalMs: 7_000, stalled: false, problem: undefined });
  });

  it('is not given when one chain of several stands still', () => {
    const stalled = { ...moving, chain: 2, lastCommitMs: 0 };
    const health = healthOf([moving, stalled], 0, 100_001, parameters);
    assert.equal(health.healthy, false);
    assert.deepEqual(
      health.chains.map(({ problem }) => problem),
      [undefined, 'commits-nothing'],
    );
  });

  it('is not given when a chain commits and nothing of it becomes final', () => {
    const nowMs = moving.lastFinalMs + notFinalAfterMs(parameters);
    const commits = { ...moving, lastCommitMs: nowMs };
    assert.ok(healthOf([commits], 3, nowMs, parameters).healthy, 'at the bound');
    assert.equal(healthOf([commits], 3, nowMs + 1, parameters).chains[0]?.problem, 'nothing-becomes-final');
  });

  it('is not given when the layout has a shard whose chain does not run here', () => {
    const missing = { ...moving, chain: 3, isRunning: false };
    assert.ok(healthOf([moving, missing], 3, 100_000 + stallAfterMs(parameters), parameters).healthy, 'it has a while to begin');
    const later = 100_001 + stallAfterMs(parameters);
    const health = healthOf([{ ...moving, lastCommitMs: later, lastFinalMs: later }, missing], 3, later, parameters);
    assert.equal(health.healthy, false);
    assert.equal(health.chains[1]?.problem, 'not-running');
  });
});

describe('how far a chain is', () => {
  const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const uncounted = { count: () => undefined, gauge: () => undefined, observe: () => undefined };

  it('counts from the moment at which a shard came into the layout, where nothing of it was committed or shown here', () => {
    let nowMs = 1_000;
    const news = new CommitNews({ clock: { nowMs: () => nowMs, schedule: () => () => undefined }, logger: silent, metrics: uncounted });
    nowMs = 5_000;
    news.follows(new Set([2, 3]));
    nowMs = 6_000;
    news.follows(new Set([2, 3]));
    const { isRunning, committedHeight, lastCommitMs, lastFinalMs } = news.progressOf(3, undefined, 17, 16);
    assert.deepEqual(
      { isRunning, committedHeight, lastCommitMs, lastFinalMs },
      { isRunning: false, committedHeight: 17, lastCommitMs: 5_000, lastFinalMs: 5_000 },
    );
    news.follows(new Set([2]));
    nowMs = 7_000;
    news.follows(new Set([2, 3]));
    assert.equal(news.progressOf(3, undefined, 17, 16).lastCommitMs, 7_000, 'one that comes again has its while again');
  });

  it('is final since the height that clients see last rose', () => {
    let nowMs = 0;
    const news = new CommitNews({ clock: { nowMs: () => nowMs, schedule: () => () => undefined }, logger: silent, metrics: uncounted });
    for (const [atMs, height] of [
      [10, 4],
      [20, 5],
      [30, 5],
    ] as const) {
      nowMs = atMs;
      news.ofView(new Map([[2, height]]));
    }
    assert.equal(news.progressOf(2, undefined, 5, 5).lastFinalMs, 20);
  });
});
