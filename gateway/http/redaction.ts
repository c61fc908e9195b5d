/** No name goes on behind a `?`, so that a text of nothing else costs no more than another. */
const parameter = /([?&][^=&?]*)=[^&]*/g;
const ofSecret = /token|clave|contrase|passw|secret|api.?key/i;
/** Wherever it stands, and whatever stands before it: a JSON object in base64url. */
const jwt = /eyJ[\w-]{8,}[^&]*/g;

/**
 * What may be written down of a target: some clients put their token or their password into the address, whatever they are
 * told. The names of such parameters stay.
 */
export function withoutSecrets(target: string): string {
  return target
    .replace(parameter, (pair, name: string) => (ofSecret.test(name) ? `${name}=…` : pair))
    .replace(jwt, '…');
}
