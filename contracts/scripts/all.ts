// Every example, one after the other: what the tests of the chain run.
await import('./bridge.ts');
await import('./auction.ts');
