import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

/** A heading, a paragraph, an item, a row of a table or a block of code. */
interface Part {
  readonly text: string;
  readonly facts: Facts;
}

/** What a part says in any language. */
interface Facts {
  readonly kind: string;
  /** A block of code whole; elsewhere what stands in backticks. */
  readonly code: readonly string[];
  /** Files and addresses; `(twin)` is the other README, `heading N` the page's own Nth. */
  readonly links: readonly string[];
  readonly numbers: readonly string[];
}

const at = (path: string) => new URL(`../../${path}`, import.meta.url);
const page = (name: string) => readFileSync(at(name), 'utf8');

const all = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, found = '']) => found);

/** One order for both languages, which may name the same things in another. */
const sorted = (found: readonly string[]) => found.toSorted((a, b) => a.localeCompare(b, 'en'));

/** The name that GitHub gives to a heading. */
const slugOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

function kindOf(text: string): string {
  if (text.startsWith('|')) return `row of ${text.split('|').length - 2}`;
  return /^(?:#+|-)(?= )/.exec(text)?.[0] ?? 'paragraph';
}

/** What a page is made of, in its order. */
function partsOf(markdown: string, twin: string): Part[] {
  const prose = markdown.replace(/^```[\s\S]*?^```$/gm, '');
  const anchors = [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => `#${slugOf(heading)}`);
  const placeOf = (target: string): string => {
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
          links: sorted(all(text, /(?:\]\(|<(?=https?:))([^)>]+)[)>]/g).map(placeOf)),
          numbers: sorted(all(words, /(\d+)/g)),
        };
        return { text, facts };
      });
  });
}

describe('README.md and README.es.md', () => {
  const english = partsOf(page('README.md'), 'README.es.md');
  const spanish = partsOf(page('README.es.md'), 'README.md');

  it('are twins: the same parts, with the same code, links and numbers', () => {
    expect(english.length).to.be.greaterThan(50);
    for (const [index, { text, facts }] of english.entries()) {
      const twin = spanish[index];
      expect(twin?.facts, `${text}\n\n${twin?.text}\n\n`).to.deep.equal(facts);
    }
    expect(spanish.length).to.equal(english.length);
  });

  it('lead to each other at their tops', () => {
    expect(english[1]?.facts.links).to.deep.equal(['(twin)']);
    expect(spanish[1]?.facts.links).to.deep.equal(['(twin)']);
  });

  it('lead to what is there', () => {
    const places = [...english, ...spanish].flatMap(({ facts }) => facts.links);
    const files = places.filter((place) => !/^(?:\(twin\)|heading \d+|https?:.*)$/.test(place));
    expect(files).to.include('CONTRIBUTING.md');
    expect(files.filter((file) => file.startsWith('#') || !existsSync(at(file)))).to.deep.equal([]);
  });
});
