import { unescape as decode } from 'node:querystring';

/** User, password and path of a URL, decoded. */
export interface UrlParts {
  readonly user: string;
  readonly password: string;
  /** Without its leading `/`. */
  readonly path: string;
}

/**
 * Decodes the parts of a URL as percent-encoded UTF-8, as other clients of RabbitMQ and PostgreSQL do. A `%` that
 * begins no escape stays as it is.
 */
export function urlParts(url: string): UrlParts {
  const { username, password, pathname } = new URL(url);
  return { user: decode(username), password: decode(password), path: decode(pathname.slice(1)) };
}

/** Returns whether a text is a URL with parts in UTF-8. `%F1` is not: it stands for `ñ` in Latin-1 only. */
export function isUtf8Url(text: string): boolean {
  return URL.canParse(text) && Object.values(urlParts(text)).every((part) => !part.includes('\uFFFD'));
}
