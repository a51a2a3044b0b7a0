import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { beginTogether } from '../../src/node/begin-together.ts';

interface Setting {
  begun: number;
  readonly names: string[];
  connect(name: string): void;
  expire(): void;
}

function begin(validatorCount: number, names: string[] = []): Setting {
  const listeners = new Set<() => void>();
  const timers: (() => void)[] = [];
  const setting: Setting = {
    begun: 0,
    names,
    connect(name) {
      names.push(name);
      for (const listener of listeners) listener();
    },
    expire: () => {
      for (const timer of timers) timer();
    },
  };
  const peers = {
    connected: () => names,
    onChange: (listener: (peer: string, connected: boolean) => void) => {
      const told = (): void => listener('', true);
      listeners.add(told);
      return () => listeners.delete(told);
    },
  };
  const clock = {
    schedule(_delayMs: number, callback: () => void) {
      timers.push(callback);
      return () => undefined;
    },
  };
  beginTogether({ peers, clock, validatorCount, waitMsMax: 1_000 }, () => setting.begun++);
  return setting;
}

describe('a node begins', () => {
  it('at once when it is alone or a quorum is there already', () => {
    assert.equal(begin(1).begun, 1);
    assert.equal(begin(4, ['a', 'b']).begun, 1);
  });

  it('when more than two thirds of the validators are there, itself included, and only once', () => {
    const four = begin(4);
    four.connect('a');
    assert.equal(four.begun, 0);
    four.connect('b');
    four.connect('c');
    four.expire();
    assert.equal(four.begun, 1);
  });

  it('after the longest wait, whoever is missing', () => {
    const seven = begin(7, ['a']);
    assert.equal(seven.begun, 0);
    seven.expire();
    assert.equal(seven.begun, 1);
  });
});
