import Negotiator from 'negotiator';

/** Maximum length of a header in characters; the rest is ignored. */
const maxLength = 2_000;

/** Negotiator 1.x. The published types describe 0.6, whose `encoding` has no preference of the server. */
interface Accepted extends Negotiator {
  encoding(
    available?: readonly string[],
    options?: { readonly preferred: readonly string[] },
  ): string | undefined;
}

/** Returns the negotiator of one header of a request (RFC 9110, section 12.5). Negotiator never throws. */
export function accepted(header: 'accept' | 'accept-encoding' | 'accept-language', value: string): Accepted {
  return new Negotiator({ headers: { [header]: value.slice(0, maxLength) } });
}
