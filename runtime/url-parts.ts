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

/**
 * Returns whether a text is a URL whose parts are percent-encoded as they must be. They must be UTF-8: `%F1` stands for
 * `ñ` in Latin-1 only. A raw `#`, `?` or `/` in a password ends the host, which is then the user's name.
 */
export function isEncodedUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.hash !== '') return false;
  const { username, password, pathname, search } = url;
  const isCut = pathname.includes('@') || /^\?[^=&]*@/.test(search);
  if (username === '' && password === '' && isCut) return false;
  return Object.values(urlParts(text)).every((part) => !part.includes('\uFFFD'));
}
