// Loaded before each test file (run-tests.ts). Node's test runner follows every promise, to know of an error that nobody waits for in which test it
// arose; that costs a test that runs thousands of nodes' events a fifth to a half of its time. Without it such an error still fails its file,
// but names the file instead of the test. Should a later Node ask for its hooks elsewhere, tests are slower again, and nothing else.
import asyncHooks from 'node:async_hooks';

const RUNNER = 'node:internal/test_runner/';
const { createHook } = asyncHooks;

// What it needs to know, in which suite a test is declared, it still learns: tests and suites are resources of their own.
asyncHooks.createHook = (options) => {
  const isOfRunner = new Error('who asks').stack?.includes(RUNNER) === true;
  return createHook(isOfRunner ? { ...options, trackPromises: false } : options);
};
