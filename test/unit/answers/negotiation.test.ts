import { expect } from 'chai';
import fc from 'fast-check';
import { formatoOf } from '../../../gateway/answers/negotiation.ts';
import { ProblemError } from '../../../gateway/http/problem.ts';

/** Header values as an erring or hostile client may send them. */
const header = fc.oneof(
  fc.string({ unit: 'binary-ascii' }),
  fc
    .array(fc.constantFrom('"', '\\', ',', ';', '=', ' ', 'q', 'wait', '1', 'en', '*', '/'))
    .map((p) => p.join('')),
);

describe('the format of an answer', () => {
  const operation = { formatos: ['json', 'nombres'] as const };
  const admitted = [undefined, '', '*/*', 'application/json', 'application/*;q=0.1', 'text/html, */*;q=0.8'];
  const more = [
    'APPLICATION/JSON; charset=utf-8',
    'application/json;q=0.001, */*;q=0',
    'application/json;profile="x,y"',
  ];
  for (const accept of [...admitted, ...more]) {
    it(`is JSON for Accept: ${accept}`, () =>
      expect(formatoOf(operation, undefined, accept)).to.equal('json'));
  }
  const refused = [
    'text/html',
    'application/json;q=0',
    'application/json ; q=0',
    'application/json; charset=utf-8; q=0.000',
    'application/json;q=0, */*',
    'application/problem+json',
    '*/*;q=0',
  ];
  for (const accept of refused) {
    it(`is refused with 406 for Accept: ${accept}`, () => {
      expect(() => formatoOf(operation, undefined, accept))
        .to.throw(ProblemError)
        .with.property('slug', 'no-aceptable');
    });
  }
  const streaming = { formatos: ['json', 'nombres', 'ndjson'] as const };
  const wanted: Record<string, string> = {
    'application/x-ndjson': 'ndjson',
    'application/x-ndjson, */*': 'ndjson',
    '*/*, application/x-ndjson': 'ndjson',
    'application/json;q=0.9, application/x-ndjson': 'ndjson',
    'application/json;q=0, */*': 'ndjson',
    'application/x-ndjson;q=0, */*;q=0.1': 'json',
    'application/x-ndjson;q=0.5, application/json': 'json',
    'application/json, application/x-ndjson': 'json',
    'application/x-ndjson, application/json': 'ndjson',
    '*/*': 'json',
    '': 'json',
  };
  for (const [accept, formato] of Object.entries(wanted)) {
    it(`is ${formato} for Accept: "${accept}" when the operation can stream`, () =>
      expect(formatoOf(streaming, undefined, accept)).to.equal(formato));
  }
  it('is refused with 406 for Accept: application/x-ndjson when the operation cannot stream', () => {
    expect(() => formatoOf(operation, undefined, 'application/x-ndjson')).to.throw(ProblemError);
  });
  it('is the parameter formato when Accept says otherwise', () =>
    expect(formatoOf(operation, 'nombres', 'text/html')).to.equal('nombres'));

  it('is chosen or refused with a ProblemError for any Accept header', () => {
    fc.assert(
      fc.property(header, (value) => {
        try {
          formatoOf({ formatos: ['json'] }, undefined, value);
        } catch (err) {
          expect(err).to.be.instanceOf(ProblemError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
