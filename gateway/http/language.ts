import { parseWeighted } from './quality.ts';
import type { Step } from './steps.ts';
import type { Idioma } from './texts.ts';

/** Finds out in which language the client wants to read errors. Never throws. */
export function language(): Step {
  return (ctx) => {
    ctx.state.idioma = idiomaOf(ctx.req.headers['accept-language'] ?? '');
  };
}

/**
 * Spanish, unless English is wanted more (RFC 9110, section 12.5.4). Between equals the first one counts, as clients that
 * write no weights mean it.
 */
export function idiomaOf(acceptLanguage: string): Idioma {
  if (acceptLanguage === '') return 'es';
  const wanted = parseWeighted(acceptLanguage)
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q)
    .map(({ value }) => value.split('-', 1)[0])
    .find((language) => language === 'es' || language === 'en' || language === '*');
  return wanted === 'en' ? 'en' : 'es';
}
