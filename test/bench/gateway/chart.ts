import { mainConnections, type Report } from './report.ts';
import type { Size } from './tree.ts';

const charted: readonly Size[] = [20, 1_000];
const width = 760;
const labelWidth = 260;
const barHeight = 18;
const gap = 6;
const top = 34;

/** Draws answers per second as bars; Archivero's are darker. The scale is logarithmic because rates differ tenfold. */
export function chart(report: Report): string {
  let y = 0;
  const parts = charted.map((size) => {
    const bars = barsOf(report, size);
    const start = y;
    y += top + bars.length * (barHeight + gap) + 14;
    return section(size, bars, start);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" font-family="system-ui, sans-serif" font-size="12">`,
    '<title>Answers per second of the gateway and its peers</title>',
    `<rect width="${width}" height="${y}" fill="#fff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

interface Bar {
  readonly name: string;
  readonly perSecond: number;
  readonly ours: boolean;
}

function barsOf({ rows, measured }: Report, size: Size): Bar[] {
  return rows
    .flatMap(({ key, name }) => {
      const found = measured.find(
        (each) => each.row === key && each.size === size && each.connections === mainConnections,
      );
      return found === undefined
        ? []
        : [{ name, perSecond: found.perSecond, ours: name.startsWith('Archivero') }];
    })
    .sort((a, b) => b.perSecond - a.perSecond);
}

function section(size: Size, bars: readonly Bar[], start: number): string {
  const room = width - labelWidth - 80;
  const largest = Math.log10(Math.max(...bars.map((bar) => bar.perSecond)));
  const title = `${size} entries, ${mainConnections} connections: answers per second (logarithmic)`;
  const lines = bars.map(({ name, perSecond, ours }, place) => {
    const y = start + top + place * (barHeight + gap);
    const length = Math.max(1, (Math.log10(perSecond) / largest) * room);
    return [
      `<text x="${labelWidth - 8}" y="${y + 13}" text-anchor="end" fill="#24292f">${name}</text>`,
      `<rect x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" fill="${ours ? '#1f6feb' : '#a9c4ea'}"/>`,
      `<text x="${(labelWidth + length + 6).toFixed(1)}" y="${y + 13}" fill="#24292f">${Math.round(perSecond).toLocaleString('en')}</text>`,
    ].join('');
  });
  return [`<text x="8" y="${start + 20}" font-weight="600" fill="#24292f">${title}</text>`, ...lines].join(
    '\n',
  );
}
