import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { renderProblem } from '../../../gateway/http/problem.ts';
import { serviceReasons, slugOfStatus, statusOf } from '../../../gateway/http/problem-types.ts';
import { motivos, problemas, type Slug, type Text } from '../../../gateway/http/texts.ts';

const texts: [string, Text][] = [
  ...Object.entries(motivos),
  ...Object.entries(problemas).flatMap(([slug, { title, detail }]): [string, Text][] => [
    [`${slug}: title`, title],
    [`${slug}: detail`, detail],
  ]),
];

function placeholdersOf(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
}

describe('the texts', () => {
  for (const [key, text] of texts) {
    it(`have ${key} in both languages, with equal placeholders`, () => {
      expect(text.es).to.be.a('string').and.not.equal('');
      expect(text.en).to.be.a('string').and.not.equal('').and.not.equal(text.es);
      // Texts are shown in pages.
      expect(text.es + text.en).not.to.match(/[<&]/);
      expect(placeholdersOf(text.en)).to.have.members(placeholdersOf(text.es));
    });
  }

  it('have no placeholders for problems that a service names, because it gives no values', () => {
    for (const slug of [...Object.values(slugOfStatus), ...(Object.keys(serviceReasons) as Slug[])]) {
      expect(placeholdersOf(problemas[slug].detail.es), slug).to.deep.equal([]);
    }
  });
});

describe('docs/problems.md', () => {
  const page = readFileSync(new URL('../../../docs/problems.md', import.meta.url), 'utf8');
  const rows = new Map(
    [...page.matchAll(/^\| `([a-z-]+)` +\| (\d+) +\| ([^|]+?) +\| ([^|]+?) +\|/gm)].map(
      ([, slug, status, es, en]) => [slug, { status: Number(status), es, en }],
    ),
  );

  it('has a row for every problem type and no other', () => {
    expect([...rows.keys()]).to.have.members(Object.keys(problemas));
  });

  for (const slug of Object.keys(problemas) as Slug[]) {
    it(`has the status and titles of ${slug} as they are sent`, () => {
      const { title } = problemas[slug];
      expect(rows.get(slug)).to.deep.equal({ status: statusOf[slug], ...title });
      const sent = JSON.parse(
        renderProblem(
          { slug, status: statusOf[slug] },
          { idioma: 'en', instance: undefined },
        ).body.toString(),
      );
      expect(sent).to.include({ type: `/problemas/${slug}`, title: title.en, status: statusOf[slug] });
    });
  }
});
