import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { explainError } from '../../src/cli/explain-error.ts';
import { readEvidenceFile } from '../../src/node/evidence-file.ts';

describe('a file of evidence', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-evidence-'));
  const file = join(folder, 'evidence');
  after(() => rmSync(folder, { recursive: true, force: true }));

  const read = (content: string | Uint8Array): readonly number[][] => {
    writeFileSync(file, content);
    return readEvidenceFile(file).map((piece) => [...piece]);
  };

  it('may be bytes, hexadecimal digits, or JSON of one piece or several', () => {
    assert.deepEqual(read(Uint8Array.of(5, 255, 0)), [[5, 255, 0]]);
    assert.deepEqual(read('0x05ff00\n'), [[5, 255, 0]]);
    assert.deepEqual(read('05ff00'), [[5, 255, 0]]);
    assert.deepEqual(read('{"kind": "x", "encoded": "0x05"}'), [[5]]);
    assert.deepEqual(read(' [{"encoded": "0x05"}, {"encoded": "01"}]'), [[5], [1]]);
  });

  it('may be the answer of a node to coppice_getEvidence, with all of its pieces', () => {
    assert.deepEqual(read('{"jsonrpc": "2.0", "id": 1, "result": [{"encoded": "0x05"}, {"kind": "x", "encoded": "0x01"}]}'), [[5], [1]]);
    assert.deepEqual(read('{"result": [{"encoded": "0x05"}], "id": null, "jsonrpc": "2.0"}\n'), [[5]]);
  });

  it('is refused with one line that says what is wrong', () => {
    const refusals: readonly (readonly [string | Uint8Array, RegExp])[] = [
      ['', /holds no evidence: it is empty$/],
      [new Uint8Array(0), /holds no evidence: it is empty$/],
      ['nonsense', /holds no evidence: neither bytes of evidence, nor hexadecimal digits, nor JSON$/],
      ['0X05', /holds no evidence: digits after 0X: they are expected after 0x, or alone$/],
      ['{"encoded": "0X05"}', /holds no evidence: digits after 0X/],
      ['{"jsonrpc": "2.0", "id": 1, "result": []}', /holds no evidence: the answer of a node that has none$/],
      ['{"jsonrpc": "2.0", "id": 1, "result": null}', /holds no evidence: the answer of a node that has none$/],
      [
        '{"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no\\nmethod"}}',
        /holds no evidence: the answer of a node that says "no\\nmethod"$/,
      ],
      ['{"jsonrpc": "2.0", "id": 1, "result": [{"encoded": "0x05"}, {"a": 1}]}', /holds no evidence: JSON, but not what/],
      ['{"jsonrpc": "2.0", "id": 1, "result": [{"encoded": "0x05"}], "more": 1}', /holds no evidence: JSON, but not what/],
      ['{"jsonrpc": "2.0", "id": 1, "result": [{"encoded": "0xzz"}]}', /holds no evidence: neither bytes/],
      ['{"jsonrpc": "2.0", "id": 1, "result": "0x05"}', /holds no evidence: JSON, but not what/],
      ['0x', /holds no evidence: neither bytes/],
      ['0x123', /holds no evidence: neither bytes/],
      ['{"encoded": "zz"}', /holds no evidence: neither bytes/],
      ['{"a": 1}', /holds no evidence: JSON, but not what coppice evidence list prints/],
      ['[]', /holds no evidence: JSON, but not what coppice evidence list prints/],
      ['[{', /holds no evidence: JSON, but not what coppice evidence list prints/],
      [Uint8Array.of(200, 201), /holds no evidence: neither bytes/],
    ];
    for (const [content, pattern] of refusals) {
      assert.throws(
        () => read(content),
        (error: unknown) => pattern.test(explainError(error)),
        String(content),
      );
    }
    assert.throws(
      () => readEvidenceFile(join(folder, 'none')),
      (error: unknown) => /none holds no evidence: ENOENT/.test(explainError(error)),
    );
    for (const endless of ['/dev/zero', folder])
      assert.throws(
        () => readEvidenceFile(endless),
        (error: unknown) => /holds no evidence: it is not a regular file$/.test(explainError(error)),
      );
  });
});
