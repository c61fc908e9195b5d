import { expect } from 'chai';
import { literalOf } from '../../../../mserv2/index/pattern-literal.ts';

describe('the literal of a regular expression', () => {
  const cases: [expression: string, literal: string][] = [
    ['parte', 'parte'],
    ['^parte\\d+\\.txt$', '/parte'],
    ['^a.*\\.tar\\.gz$', '.tar.gz/'],
    ['Técnico', 'tecnico'],
    ['straße', 'strasse'],
    ['IMG_\\d{4}', 'img_'],
    ['colou?r', 'colo'],
    ['ab*cd', 'cd'],
    ['ab{2,3}cd', 'cd'],
    ['ab+cd', 'ab'],
    ['ß?x', 'x'],
    ['x(?:abc|d)yz', 'yz'],
    ['(?i)Abc', 'abc'],
    ['(?P<año>2026)-informe', '-informe'],
    ['año', 'ano'],
    ['\\101bc', 'bc'],
    ['\\x{41}bc\\x42', 'bc'],
    ['\\pLbc', 'bc'],
    ['[abc]]d', ']d'],
    ['a{b', 'b'],
  ];
  for (const [expression, literal] of cases) {
    it(`is ${JSON.stringify(literal)} for ${JSON.stringify(expression)}`, () => {
      expect(literalOf(expression)).to.equal(literal);
    });
  }

  it('is empty when alternatives, groups, classes or quantifiers leave none', () => {
    for (const expression of ['abc|d', '(abc)', '[abc]+', 'a*', '\\d+', '.', '^$', '\\Qabc\\E', 'σ']) {
      expect(literalOf(expression), expression).to.equal('');
    }
  });

  it('has no begin or end of the name when a flag lets those match at line breaks', () => {
    expect(literalOf('(?m)^abc$')).to.equal('abc');
  });
});
