import * as z from 'zod';
import { Tipo } from '../../proto/gen/archivos/v1/entrada.ts';
import type { Formato } from './operation.ts';
import { refuse } from './strict-query.ts';

/** The representations of both operations. */
export const formatos: readonly Formato[] = ['json', 'nombres', 'ndjson'];

/** Parses one of a few words into its meaning. */
export function words<Meaning>(meanings: Readonly<Record<string, Meaning>>) {
  const meaningOf = new Map(Object.entries(meanings));
  return z
    .string()
    .transform((word, ctx): Meaning => {
      const meaning = meaningOf.get(word);
      if (meaning !== undefined) return meaning;
      return refuse(ctx, 'valor-no-admitido', { admitidos: [...meaningOf.keys()].join(', ') });
    })
    .meta({ enum: [...meaningOf.keys()] });
}

export const booleanWord = words({ true: true, false: false, 1: true, 0: false, si: true, no: false });

export const formato = words<Formato>({ json: 'json', nombres: 'nombres', ndjson: 'ndjson' });

/** Repeatable; order and duplicates do not matter. */
export const tipos = z
  .array(
    words<Tipo>({
      archivo: Tipo.TIPO_ARCHIVO,
      carpeta: Tipo.TIPO_CARPETA,
      enlace_simbolico: Tipo.TIPO_ENLACE_SIMBOLICO,
      otro: Tipo.TIPO_OTRO,
    }),
  )
  .transform((list) => [...new Set(list)].sort((a, b) => a - b));

/** Parses digits only: `1e3` and `+5` are refused. */
export function wholeNumber(min: number, max: number) {
  return z
    .string()
    .transform((digits, ctx) => {
      const number = /^(?:0|[1-9]\d{0,14})$/.test(digits) ? Number(digits) : Number.NaN;
      return number >= min && number <= max ? number : refuse(ctx, 'entero-entre', { min, max });
    })
    .meta({ type: 'integer', minimum: min, maximum: max });
}

/** Entries per page. */
export const limite = wholeNumber(1, 10_000);

/** Accepts text of at most `maxBytes` bytes of UTF-8. */
export function text(maxBytes: number) {
  return z
    .string()
    .transform((value, ctx) => {
      return Buffer.byteLength(value) <= maxBytes ? value : refuse(ctx, 'demasiado-largo', { max: maxBytes });
    })
    .meta({ maxLength: maxBytes });
}

export const cursor = z
  .string()
  .transform((value, ctx) => (value === '' ? refuse(ctx, 'vacio') : value))
  .meta({ minLength: 1 });

/**
 * Parses standard or URL-safe base64, padded or not. A space counts as `+`, which query decoding turned into it. Unused
 * bits must be zero, so that bytes have only one spelling.
 */
export const base64 = z
  .string()
  .transform((value, ctx): Buffer => {
    if (value === '') return refuse(ctx, 'vacio');
    const urlSafe = value.replace(/[+ ]/g, '-').replaceAll('/', '_');
    const digits = urlSafe.replace(/={1,2}$/, '');
    const bytes = Buffer.from(digits, 'base64url');
    const padded = digits.length + ((4 - (digits.length % 4)) % 4);
    const exact = bytes.toString('base64url') === digits && [digits.length, padded].includes(urlSafe.length);
    return exact ? bytes : refuse(ctx, 'base64-no-valido');
  })
  .meta({ contentEncoding: 'base64url' });
