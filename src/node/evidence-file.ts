// Files of evidence: the bytes of one piece, or their hexadecimal digits, or JSON as `coppice_getEvidence` gives it, one piece or a list.
import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { hexToBytes } from '../core/primitives/bytes.ts';
import { CoppiceError } from '../core/primitives/errors.ts';
import './errors.ts';

/** A list of the largest pieces in hexadecimal digits. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;
/** Text begins with a digit, a bracket or white space, all above what names the kind in the first byte of a piece. */
const FIRST_BYTE_OF_TEXT = 9;

const Piece = z.looseObject({ encoded: z.string() });
const Pieces = z.union([Piece, z.array(Piece).min(1)]);

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
  try {
    const pieces = Pieces.parse(JSON.parse(text));
    return Array.isArray(pieces) ? pieces : [pieces];
  } catch (error) {
    const detail = 'JSON, but not what coppice evidence list prints: an object with "encoded", or a list of them that is not empty';
    throw new CoppiceError('evidence/unreadable', { path, detail }, { cause: error });
  }
}

function bytesOf(path: string, text: string): Uint8Array {
  const bytes = hexToBytes(text.replace(/^0x/, ''));
  if (bytes === undefined || bytes.length === 0)
    throw new CoppiceError('evidence/unreadable', { path, detail: 'neither bytes of evidence, nor hexadecimal digits, nor JSON' });
  return bytes;
}
