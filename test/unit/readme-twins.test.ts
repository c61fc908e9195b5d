import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

/** A heading, a paragraph, an item, a row of a table or a block of code. */
interface Part {
  readonly text: string;
  readonly facts: Facts;
}

/** The content of a part that must be equal in both languages. */
interface Facts {
  readonly kind: string;
  /** A code block as a whole; in prose, the texts in backticks. */
  readonly code: readonly string[];
  /** Files and addresses; `(twin)` stands for the other README, `heading N` for the Nth heading of the same page. */
  readonly links: readonly string[];
  readonly numbers: readonly string[];
}

const at = (path: string) => new URL(`../../${path}`, import.meta.url);
const page = (name: string) => readFileSync(at(name), 'utf8');

const all = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, found = '']) => found);

/** Sorts, because the two languages may name the same things in a different order. */
const sorted = (found: readonly string[]) => found.toSorted((a, b) => a.localeCompare(b, 'en'));

/** The anchor that GitHub gives to a heading. */
const slugOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

function kindOf(text: string): string {
  if (text.startsWith('|')) return `row of ${text.split('|').length - 2}`;
  return /^(?:#+|-)(?= )/.exec(text)?.[0] ?? 'paragraph';
}

/** Splits a page into its parts, in order. */
function partsOf(markdown: string, twin: string): Part[] {
  const prose = markdown.replace(/^```[\s\S]*?^```$/gm, '');
  const anchors = [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => `#${slugOf(heading)}`);
  const linkOf = (target: string): string => {
    if (target === twin) return '(twin)';
    const heading = anchors.indexOf(target);
    return heading < 0 ? target : `heading ${heading}`;
  };
  return markdown.split(/^(```[\s\S]*?^```)$/m).flatMap((piece, index): Part[] => {
    if (index % 2 === 1) {
      return [{ text: piece, facts: { kind: 'block', code: [piece], links: [], numbers: [] } }];
    }
    const texts = piece.split(/\n{2,}|\n(?=[|#-])/).map((text) => text.trim());
    return texts
      .filter((text) => text !== '')
      .map((text) => {
        const words = text.replace(/`[^`]+`|\]\([^)]+\)|<https?:[^>]+>/g, '');
        const facts = {
          kind: kindOf(text),
          code: sorted(all(text, /`([^`]+)`/g)),
          links: sorted(all(text, /(?:\]\(|<(?=https?:))([^)>]+)[)>]/g).map(linkOf)),
          numbers: sorted(all(words, /(\d+)/g)),
        };
        return { text, facts };
      });
  });
}

describe('README.md and README.es.md', () => {
  const english = partsOf(page('README.md'), 'README.es.md');
  const spanish = partsOf(page('README.es.md'), 'README.md');

  it('have equal parts, with equal code, links and numbers', () => {
    expect(english.length).to.be.greaterThan(50);
    for (const [index, { text, facts }] of english.entries()) {
      const twin = spanish[index];
      expect(twin?.facts, `${text}\n\n${twin?.text}\n\n`).to.deep.equal(facts);
    }
    expect(spanish.length).to.equal(english.length);
  });

  it('link to each other below their titles', () => {
    expect(english[1]?.facts.links).to.deep.equal(['(twin)']);
    expect(spanish[1]?.facts.links).to.deep.equal(['(twin)']);
  });

  it('link only to headings and files that exist', () => {
    const links = [...english, ...spanish].flatMap(({ facts }) => facts.links);
    const files = links.filter((link) => !/^(?:\(twin\)|heading \d+|https?:.*)$/.test(link));
    expect(files).to.include('CONTRIBUTING.md');
    expect(files.filter((file) => file.startsWith('#') || !existsSync(at(file)))).to.deep.equal([]);
  });
});
