// Loads the test files that it is told into one process: what most of them load is then loaded and compiled once (run-tests.ts).
for (const file of process.argv.slice(2)) await import(file);
