/** Some clients put their token into the address, whatever they are told. */
const tokens = /(?:[?&](?:access_)?token=|\beyJ)[^&]*/gi;

/** What may be written down of a target. */
export function withoutTokens(target: string): string {
  return target.replace(tokens, (text) => `${/^.[^=]*token=/i.exec(text)?.[0] ?? ''}…`);
}
