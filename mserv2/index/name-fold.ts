import { coarse, LatinFolder } from './latin.ts';

/**
 * name-fold.wat as assembled by wabt: WebAssembly that folds a million names in 18 ms on a busy machine. A loop in
 * JavaScript took 175 ms, a quarter of the index worker's time for a new tree.
 */
const code =
  'AGFzbQEAAAABCgFgBX9/f39/AX8DAgEABQMBAAYHEQIGbWVtb3J5AgAEZm9sZAAACtEEAc4EBAJ7CX8BfgV/QYAgIQdBgMAEIQhBgIALIQkgAEEvOgAAAkADQCAHIQsgCCEM' +
  'IAogAkYNASAHIABPDQFCACEQQQAhEUEAIRICQANAIAcgC2shDSANQYAgSw0DIAf9AAQAIQUgBUHBAP0P/XFBGv0P/SYhBiAIIAUgBkEg/Q/9Tv1Q/QsEACAFQS/9D/0j/WQg' +
  'Bf1kciEPIAb9ZCEOIA8EQCAPaCEPIA5BASAPdEEBa3EhDgVBECEPCyAOBEBBASERIA1BH08EQEEBIRIFIBAgDq0gDa2GhCEQCwsgByAPaiEHIAggD2ohCCAPQRBGDQAgBy0A' +
  'ACETIBNBL0YNASAHLQABIRQgE0HCAWtBCUsNAyAUQcABcUGAAUcNAyATQR9xQQZ0IBRBP3FyQQJ0KAKACCEVIAggFTYCAEEBIRIgESAVQYCAgBAgFEEIdCATcnJHciERIAdB' +
  'AmohByAIIBVBGHZqIQgMAAsLIAcgC2shDSANQQFrQf8fSw0BIAcgAEYgAUVxDQEgCEEvOgAAIAhBAWohCCAKQQJ0IAMgCEGAwARrajYCgIATIBFFBEBBACEVBSASIBBCH4hC' +
  'AFJyBEAgBEEBaiAJQYCAC2tqIRUgCSANOwEAIAlBAmohCUEAIQ8DQCAJIA9qIAsgD2r9AAQA/QsEACAPQRBqIQ8gDyANSQ0ACyAJIA1qIQkFIBCnQYCAgIB4ciEVCwsgCkEC' +
  'dCAVNgKAgBQgCkEBaiEKIAdBAWohBwwACwtBACALNgIAQQQgDDYCAEEIIAk2AgAgCgs=';

type Fold = (end: number, whole: 0 | 1, most: number, namesEnd: number, originalsEnd: number) => number;

/** The part of the WebAssembly API that is used here; its types come with the DOM's. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (
    module: object,
  ) => { readonly exports: { readonly memory: { readonly buffer: ArrayBuffer }; readonly fold: Fold } };
};

const { memory, fold } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(code, 'base64')))
  .exports;

/** Layout of its memory, as in the source. */
const lettersAt = 0x400;
const namesAt = 0x1000;
const namesBytes = 0x10000;
const foldedAt = 0x12000;
const keptAt = 0x2c000;
const mostNames = 0x1000;
const bytes = new Uint8Array(memory.buffer);
const reached = new Uint32Array(memory.buffer, 0, 3);

new Uint32Array(memory.buffer, lettersAt).set(
  // Letters of two bytes that LatinFolder knows.
  Array.from({ length: 0x300 }, (_, code) => {
    const letter = LatinFolder.for(coarse).letter(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    return letter === undefined
      ? 0
      : Buffer.concat([letter, Buffer.alloc(4)]).readUIntLE(0, 3) + letter.length * 2 ** 24;
  }),
);

/** End of each folded name, behind its slash, and its spelling, as in a segment. */
export const ends = new Uint32Array(memory.buffer, 0x4c000, mostNames);
export const spellings = new Uint32Array(memory.buffer, 0x50000, mostNames);

/**
 * Folds the next names, separated by slashes, from `from` to before `end`, `most` names at most.
 * @param namesEnd begin of the first name in a segment's names
 * @param originalsEnd begin of the first original in a segment's originals
 * @returns their number; 0 when the next name is not Latin, is empty or too long
 */
export function foldNames(
  names: Uint8Array,
  from: number,
  end: number,
  most: number,
  namesEnd: number,
  originalsEnd: number,
): number {
  const stop = Math.min(end, from + namesBytes);
  bytes.set(names.subarray(from, stop), namesAt);
  const whole = stop === end ? 1 : 0;
  return fold(namesAt + stop - from, whole, Math.min(most, mostNames), namesEnd, originalsEnd);
}

/** Returns the bytes of the given names that were folded, with the slashes. */
export function bytesRead(): number {
  return (reached[0] ?? 0) - namesAt;
}

/** Returns the folded names, each with a slash behind it. Valid until the next call. */
export function foldedNames(): Uint8Array {
  return bytes.subarray(foldedAt, reached[1]);
}

/** Returns the originals that must be stored, with their lengths. Valid until the next call. */
export function originalNames(): Uint8Array {
  return bytes.subarray(keptAt, reached[2]);
}
