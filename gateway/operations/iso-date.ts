const dayMs = 86_400_000;
const maxDays = 4096;

/** Texts such as `2026-11-20T` by day number since 1970. A folder's files share few days. */
const days = new Map<number, string>();
const two = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0'));
const three = Array.from({ length: 1000 }, (_, number) => String(number).padStart(3, '0'));

/**
 * Formats a date as `date.toJSON()` does: null for an invalid date. An answer has a thousand dates, and V8 takes as long
 * for one as for the rest of its entry; this takes a tenth of that.
 */
export function isoText(date: Date): string | null {
  const ms = date.getTime();
  const day = Math.floor(ms / dayMs);
  const dayText = days.get(day) ?? remember(day, date);
  if (dayText === undefined) return null;
  const rest = ms - day * dayMs;
  const seconds = Math.floor(rest / 1000);
  const minutes = Math.floor(seconds / 60);
  return `${dayText}${two[Math.floor(minutes / 60)]}:${two[minutes % 60]}:${two[seconds % 60]}.${three[rest % 1000]}Z`;
}

function remember(day: number, date: Date): string | undefined {
  if (Number.isNaN(day)) return undefined;
  const text = date.toJSON().slice(0, -'00:00:00.000Z'.length);
  if (days.size >= maxDays) days.clear();
  days.set(day, text);
  return text;
}
