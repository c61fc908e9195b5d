/** A request target (RFC 9112, section 3.2). */
export interface Target {
  /** Origin form, in printable ASCII: path and query, or `*`. Safe in a header, in a log line and in a link. */
  readonly target: string;
  /** The host of the absolute form. */
  readonly authority: string | undefined;
}

/**
 * Parses a request target of any form. Characters that a URI forbids but Node accepts (`"<>\^` and the like) are
 * percent-encoded, so that a target cannot break out of the header, log line or link that holds it. The client's own
 * percent-encoding stays as it is, valid or not.
 */
export function readTarget(raw: string): Target {
  const absolute = /^https?:\/\/([^/?#]*)/i.exec(raw);
  const rest = absolute ? raw.slice(absolute[0].length) : raw;
  const origin = absolute && !rest.startsWith('/') ? `/${rest}` : rest;
  return { target: escapeTarget(withoutFragment(origin)), authority: absolute?.[1] };
}

/** Returns the path of a target in origin form. */
export function pathOf(target: string): string {
  const end = target.indexOf('?');
  return end === -1 ? target : target.slice(0, end);
}

/** Returns the query of a target in origin form, without its `?`. */
export function queryOf(target: string): string {
  const start = target.indexOf('?');
  return start === -1 ? '' : target.slice(start + 1);
}

/** Returns the target of the next page. Everything but the cursor stays as the client wrote it. */
export function withCursor(target: string, cursor: string): string {
  const others = queryOf(target)
    .split('&')
    .filter((pair) => pair !== '' && !/^cursor(?:=|$)/.test(pair));
  return `${pathOf(target)}?${[...others, `cursor=${encodeURIComponent(cursor)}`].join('&')}`;
}

function withoutFragment(target: string): string {
  const hash = target.indexOf('#');
  return hash === -1 ? target : target.slice(0, hash);
}

/** Escapes bytes: each character is one byte, because Node's parser refuses non-ASCII targets. */
function escapeTarget(target: string): string {
  return target.replace(
    /[^!#-;=?-[\]_a-z~]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
