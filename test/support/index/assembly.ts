import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import wabt from 'wabt';

/** @throws unless `NAME.ts` in the folder holds the code that wabt assembles from `NAME.wat` */
export async function expectAssembled(folder: URL, name: string): Promise<void> {
  const wat = readFileSync(new URL(`${name}.wat`, folder), 'utf8');
  const assembler = (await wabt()).parseWat(`${name}.wat`, wat, { simd: true });
  const code = Buffer.from(assembler.toBinary({}).buffer).toString('base64');
  const source = readFileSync(new URL(`${name}.ts`, folder), 'utf8');
  const held = [...source.matchAll(/'([A-Za-z0-9+/=]{40,})'/g)].map(([, piece]) => piece).join('');
  expect(held, `${name}.ts must hold what is expected here`).to.equal(code);
}
