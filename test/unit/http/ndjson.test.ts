import { expect } from 'chai';
import { jsonLines } from '../../../gateway/http/ndjson.ts';

/** Every break at which Unicode-aware readers end a line: those of Python's `splitlines`. */
const lineBreaks = ['\n', '\v', '\f', '\r', '\x1c', '\x1d', '\x1e', '\x85', '\u2028', '\u2029'];

describe('the lines of an NDJSON answer', () => {
  it('hold no other line break of Unicode than their ends, and keep every character of their values', () => {
    const values = [...lineBreaks, 'ñ\\u2028'].map((name) => ({ nombre: `a${name}b`, [`c${name}`]: [name] }));
    const lines = jsonLines(values).split(new RegExp(`[${lineBreaks.join('')}]`));
    expect(lines.pop()).to.equal('');
    expect(lines.map((line) => JSON.parse(line))).to.deep.equal(values);
  });
});
