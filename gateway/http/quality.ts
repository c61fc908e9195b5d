/** An element of a header such as `Accept`, with its weight. */
export interface Weighted {
  /** Lower case, without parameters. */
  readonly value: string;
  /** 0 to 1; 0 means not acceptable. */
  readonly q: number;
}

/** Maximum number of elements; later ones are ignored. */
const maxElements = 100;

/**
 * Parses a list with quality values (RFC 9110, section 12.4.2), in the header's order. Other parameters are dropped. An
 * element with a malformed `q` is ignored.
 */
export function parseWeighted(header: string): readonly Weighted[] {
  if (header === '') return [];
  return header.split(',', maxElements).flatMap((element) => {
    const [value = '', ...parameters] = element.split(';').map((part) => part.trim().toLowerCase());
    if (value === '') return [];
    const weight = parameters.find((parameter) => /^q\s*=/.test(parameter));
    if (weight === undefined) return [{ value, q: 1 }];
    const q = weight.replace(/^q\s*=\s*/, '');
    return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(q) ? [{ value, q: Number(q) }] : [];
  });
}
