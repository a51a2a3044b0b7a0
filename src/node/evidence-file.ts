// Files of evidence: the bytes of one piece, or their hexadecimal digits, or JSON as `coppice_getEvidence` gives it: one piece, a list, or the
// whole answer of the node. All that stands in a file must be evidence: what is skipped would look verified.
import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { hexToBytes } from '../core/primitives/bytes.ts';
import { CoppiceError } from '../core/primitives/errors.ts';
import './errors.ts';

/** A list of the largest pieces in hexadecimal digits. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;
/** Text begins with a digit, a bracket or white space, all above what names the kind in the first byte of a piece. */
const FIRST_BYTE_OF_TEXT = 9;
const SHOWN_CHARACTERS_MAX = 200;

const Piece = z.looseObject({ encoded: z.string() });
const Pieces = z.union([Piece, z.array(Piece).min(1)]);
const Answer = z.strictObject({ jsonrpc: z.literal('2.0'), id: z.unknown(), result: Pieces });
const Failure = z.looseObject({ jsonrpc: z.literal('2.0'), error: z.looseObject({ message: z.string() }) });
const NoEvidence = z.looseObject({ jsonrpc: z.literal('2.0'), result: z.union([z.null(), z.array(z.unknown()).max(0)]) });

/** The encoded pieces of a file; throws `evidence/unreadable`. Nothing of them is decoded. */
export function readEvidenceFile(path: string): readonly Uint8Array[] {
  const content = readBytes(path);
  if (content.length === 0) throw new CoppiceError('evidence/unreadable', { path, detail: 'it is empty' });
  if ((content[0] as number) < FIRST_BYTE_OF_TEXT) return [content];
  const text = content.toString('utf8').trim();
  if (!/^[[{]/.test(text)) return [bytesOf(path, text)];
  const pieces = parsePieces(path, text);
  return pieces.map(({ encoded }) => bytesOf(path, encoded));
}

function readBytes(path: string): Buffer {
  try {
    const file = statSync(path);
    // A device or a pipe says no size, and may never end.
    if (!file.isFile()) throw new Error('it is not a regular file');
    if (file.size > FILE_BYTES_MAX) throw new Error(`it is larger than ${FILE_BYTES_MAX} bytes`);
    return readFileSync(path);
  } catch (error) {
    throw new CoppiceError(
      'evidence/unreadable',
      { path, detail: error instanceof Error ? error.message : String(error) },
      { cause: error },
    );
  }
}

function parsePieces(path: string, text: string): readonly z.output<typeof Piece>[] {
  const value = parseJson(text);
  const pieces = Pieces.safeParse(value).data ?? Answer.safeParse(value).data?.result;
  if (pieces === undefined) throw new CoppiceError('evidence/unreadable', { path, detail: faultOf(value) });
  return Array.isArray(pieces) ? pieces : [pieces];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function faultOf(value: unknown): string {
  const failure = Failure.safeParse(value).data;
  if (failure !== undefined)
    return `the answer of a node that says ${JSON.stringify(failure.error.message.slice(0, SHOWN_CHARACTERS_MAX))}`;
  if (NoEvidence.safeParse(value).success) return 'the answer of a node that has none';
  return 'JSON, but not what coppice evidence list prints: an object with "encoded", a list of them that is not empty, or the answer to coppice_getEvidence';
}

function bytesOf(path: string, text: string): Uint8Array {
  if (text.startsWith('0X'))
    throw new CoppiceError('evidence/unreadable', { path, detail: 'digits after 0X: they are expected after 0x, or alone' });
  const bytes = hexToBytes(text.replace(/^0x/, ''));
  if (bytes === undefined || bytes.length === 0)
    throw new CoppiceError('evidence/unreadable', { path, detail: 'neither bytes of evidence, nor hexadecimal digits, nor JSON' });
  return bytes;
}
