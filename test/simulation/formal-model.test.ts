// The formal model in spec/: its properties hold where all rules are kept, and break where one is left out.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exploreAll, SAMPLES } from '../../scripts/spec.ts';

describe('the formal model', () => {
  it('holds where all rules are kept, and shows why each of them is needed', async (context) => {
    const lines: string[] = [];
    const isAsExpected = await exploreAll(SAMPLES, (line) => lines.push(line));
    for (const line of lines) context.diagnostic(line);
    assert.ok(isAsExpected, lines.join('\n'));
  });
});
