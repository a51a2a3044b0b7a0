// The formal model in spec/: its properties hold where all rules are kept, and break where one is left out. Each part has a process of its
// own, so both run at once.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explorePart } from '../../scripts/spec.ts';
import { CI_BUDGET, PARTS } from '../../scripts/spec-explorations.ts';

describe('the formal model', { concurrency: true }, () => {
  for (const part of PARTS) {
    it(`of ${part} holds where all rules are kept, and shows why each of them is needed`, async (context) => {
      const lines: string[] = [];
      const isAsExpected = await explorePart(part, CI_BUDGET, (line) => lines.push(line));
      for (const line of lines) context.diagnostic(line);
      assert.ok(isAsExpected, lines.join('\n'));
    });
  }
});
