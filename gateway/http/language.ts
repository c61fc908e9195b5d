import { accepted } from './accepted.ts';
import type { Step } from './steps.ts';
import type { Idioma } from './texts.ts';

/** Sets the language of error texts by `Accept-Language`. Never throws. */
export function language(): Step {
  return (ctx) => {
    ctx.state.idioma = idiomaOf(ctx.req.headers['accept-language'] ?? '');
  };
}

/**
 * Returns Spanish unless English has the higher weight (RFC 9110, section 12.5.4). At equal weights the first language
 * counts, as clients that send no weights intend.
 */
export function idiomaOf(acceptLanguage: string): Idioma {
  if (acceptLanguage === '') return 'es';
  const wanted = accepted('accept-language', acceptLanguage)
    .languages()
    .map((range) => range.split('-', 1)[0]?.toLowerCase())
    .find((language) => language === 'es' || language === 'en' || language === '*');
  return wanted === 'en' ? 'en' : 'es';
}
