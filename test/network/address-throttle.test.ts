import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressThrottle, SUSPECT_MS, SUSPECT_RATE } from '../../src/network/address-throttle.ts';

describe('the throttle of addresses', () => {
  it('leaves an address alone from which nothing was broken', () => {
    const throttle = new AddressThrottle();
    throttle.suspect('10.0.0.1', 0);
    for (let count = 0; count < 1_000; count++) assert.ok(throttle.admits('10.0.0.2', 0));
  });

  it('lets a suspect one in at its rate, and forgets in the end', () => {
    const throttle = new AddressThrottle();
    throttle.suspect('10.0.0.1', 0);
    let admitted = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs += 10) if (throttle.admits('10.0.0.1', nowMs)) admitted++;
    assert.ok(admitted <= SUSPECT_RATE.burst + 10 * SUSPECT_RATE.perSecond);
    assert.ok(admitted >= 10 * SUSPECT_RATE.perSecond);
    for (let count = 0; count < 1_000; count++) assert.ok(throttle.admits('10.0.0.1', SUSPECT_MS));
  });

  it('gives no fresh burst for a fresh offence', () => {
    const throttle = new AddressThrottle();
    let admitted = 0;
    for (let count = 0; count < 100; count++) {
      throttle.suspect('10.0.0.1', 0);
      if (throttle.admits('10.0.0.1', 0)) admitted++;
    }
    assert.equal(admitted, SUSPECT_RATE.burst);
  });

  it('remembers a bounded number of addresses', () => {
    const throttle = new AddressThrottle();
    for (let address = 0; address < 5_000; address++) throttle.suspect(`address ${address}`, 0);
    for (let count = 0; count < 100; count++) assert.ok(throttle.admits('address 0', 0));
  });
});
