// Which bytes of code are jump destinations, and the words that PUSH pushes. Done once for each code array: the state view gives the
// same array for the same code each time, so a large callee in a loop is analysed once and not for each frame.

/** The analysis of one code array. */
export interface JumpAnalysis {
  /** 1 where a JUMPDEST stands that is no push data. */
  readonly destinations: Uint8Array;
  /** For each position after a PUSH that has run, the place of its word in `words`; 0 before. Two bytes for each byte of code. */
  readonly wordPlaces: Uint16Array;
  /** Words pushed so far; the first is nobody's. */
  readonly words: bigint[];
}

const JUMPDEST = 0x5b;
const PUSH1 = 0x60;
const PUSH32 = 0x7f;

const analyses = new WeakMap<Uint8Array, JumpAnalysis>();

/** The analysis of `code`, which must never be written to. */
export function jumpAnalysisOf(code: Uint8Array): JumpAnalysis {
  let analysis = analyses.get(code);
  if (analysis === undefined) {
    analysis = { destinations: destinationsOf(code), wordPlaces: new Uint16Array(code.length + 1), words: [0n] };
    analyses.set(code, analysis);
  }
  return analysis;
}

function destinationsOf(code: Uint8Array): Uint8Array {
  const destinations = new Uint8Array(code.length);
  for (let i = 0; i < code.length; i++) {
    const opcode = code[i] as number;
    if (opcode === JUMPDEST) destinations[i] = 1;
    else if (opcode >= PUSH1 && opcode <= PUSH32) i += opcode - PUSH1 + 1;
  }
  return destinations;
}

/** The word that the PUSH before `position` pushes: `length` bytes, zeros beyond the end of the code. */
export function pushedWord(code: Uint8Array, position: number, length: number): bigint {
  let word = 0n;
  for (let i = 0; i < length; i += 4) {
    const bytes = Math.min(4, length - i);
    let part = 0;
    for (let j = 0; j < bytes; j++) part = part * 256 + (code[position + i + j] ?? 0);
    word = (word << BigInt(8 * bytes)) | BigInt(part);
  }
  return word;
}
