import { readFileSync, writeFileSync } from 'node:fs';
import { chart } from './chart.ts';
import { markdown, type Report } from './report.ts';

const docs = new URL('../../../docs/', import.meta.url);
const between = /(<!-- bench: .*? -->\n)[\s\S]*?(<!-- bench end -->)/;

/** Writes a report into the documentation: the figures, the chart and the table. */
export function save(report: Report): void {
  writeFileSync(new URL('performance.json', docs), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(new URL('performance.svg', docs), chart(report));
  const page = new URL('performance.md', docs);
  const text = readFileSync(page, 'utf8');
  if (!between.test(text)) throw new Error(`${page.pathname} has no markers for the table`);
  writeFileSync(
    page,
    text.replace(between, (_, begin, end) => `${begin}\n${markdown(report)}\n\n${end}`),
  );
}
