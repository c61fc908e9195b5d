/** One element of a header like `Accept`, with its weight. */
export interface Weighted {
  /** Lower case, without parameters. */
  readonly value: string;
  /** 0 to 1; 0 means: not this one. */
  readonly q: number;
}

/** Nobody writes more; what comes behind them does not count. */
const mostElements = 100;

/**
 * Reads a list with quality values (RFC 9110, section 12.4.2), in the order of the header. Parameters other than `q` are
 * left out; an element whose `q` is malformed is ignored.
 */
export function parseWeighted(header: string): readonly Weighted[] {
  if (header === '') return [];
  return header.split(',', mostElements).flatMap((element) => {
    const [value = '', ...parameters] = element.split(';').map((part) => part.trim().toLowerCase());
    if (value === '') return [];
    const weight = parameters.find((parameter) => /^q\s*=/.test(parameter));
    if (weight === undefined) return [{ value, q: 1 }];
    const q = weight.replace(/^q\s*=\s*/, '');
    return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(q) ? [{ value, q: Number(q) }] : [];
  });
}
