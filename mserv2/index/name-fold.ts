import { coarse, LatinFolder } from './latin.ts';

/**
 * name-fold.wat as wabt makes it: WebAssembly that folds a million names in 18 ms while both cores are busy. A loop in JavaScript took
 * 175 ms, a quarter of what the index's thread did while a tree was new.
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

/** As far as it is used: its types are the DOM's, which has no place here. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (
    module: object,
  ) => { readonly exports: { readonly memory: { readonly buffer: ArrayBuffer }; readonly fold: Fold } };
};

const { memory, fold } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(code, 'base64')))
  .exports;

/** How its memory is used, as the source says. */
const lettersAt = 0x400;
const namesAt = 0x1000;
const namesBytes = 0x10000;
const foldedAt = 0x12000;
const keptAt = 0x2c000;
const mostNames = 0x1000;
const bytes = new Uint8Array(memory.buffer);
const reached = new Uint32Array(memory.buffer, 0, 3);

new Uint32Array(memory.buffer, lettersAt).set(
  // Those of two bytes that LatinFolder knows.
  Array.from({ length: 0x300 }, (_, code) => {
    const letter = LatinFolder.for(coarse).letter(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    return letter === undefined
      ? 0
      : Buffer.concat([letter, Buffer.alloc(4)]).readUIntLE(0, 3) + letter.length * 2 ** 24;
  }),
);

/** Of each name that was folded last, where it ends behind its slash, and its spelling, as in a segment. */
export const ends = new Uint32Array(memory.buffer, 0x4c000, mostNames);
export const spellings = new Uint32Array(memory.buffer, 0x50000, mostNames);

/**
 * Folds the next names of some that have slashes between them, from `from` to before `end`, `most` of them at most.
 * @param namesEnd where the first one will be in a segment's names
 * @param originalsEnd and where the first one that has to be written out will be in its originals
 * @returns how many; 0 when the next one is not in Latin letters, or has no or too many bytes
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

/** How many bytes of the names that were given were folded, with the slashes. */
export function bytesRead(): number {
  return (reached[0] ?? 0) - namesAt;
}

/** The names that were folded, with a slash behind each. Valid until the next call. */
export function foldedNames(): Uint8Array {
  return bytes.subarray(foldedAt, reached[1]);
}

/** Those that have to be written out, with their lengths. Valid until the next call. */
export function originalNames(): Uint8Array {
  return bytes.subarray(keptAt, reached[2]);
}
