import type { Message } from 'amqplib';

/** A message as it was delivered. */
export type Received = Pick<Message, 'content' | 'properties'>;

/** A message that is neither a request nor a reply as docs/wire.md has them. */
export class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError';
}

/** Maximum bytes of a text: a property's limit in AMQP, and little enough for the headers of a reply that echoes it. */
const maxTextBytes = 255;

/** Decodes a header's value where it is a byte array, in which some clients send text. */
export function decoded(value: unknown): unknown {
  return Buffer.isBuffer(value) ? value.toString() : value;
}

/** Reads a property or a header as text. Throws `MalformedMessageError`. */
export function textOf(value: unknown, name: string): string {
  const text = decoded(value);
  if (text === undefined || text === '') throw new MalformedMessageError(`${name} is missing`);
  if (typeof text !== 'string') throw new MalformedMessageError(`${name} is no text`);
  // The decoder has replaced invalid bytes. An echo would differ, and be longer.
  if (text.includes('\uFFFD')) throw new MalformedMessageError(`${name} is not UTF-8`);
  if (text.includes('\0')) throw new MalformedMessageError(`${name} contains NUL`);
  if (Buffer.byteLength(text) > maxTextBytes)
    throw new MalformedMessageError(`${name} is longer than ${maxTextBytes} bytes`);
  return text;
}

/** Reads a header as an integer, also in decimal digits. Throws `MalformedMessageError`. */
export function integerOf(value: unknown, name: string): number {
  const given = decoded(value);
  if (given === undefined) throw new MalformedMessageError(`${name} is missing`);
  const number = typeof given === 'string' && /^-?\d+$/.test(given) ? Number(given) : given;
  if (!Number.isSafeInteger(number)) throw new MalformedMessageError(`${name} is no integer`);
  return number as number;
}

/** Reads a message's content as the text of its JSON, which is not parsed here. Throws `MalformedMessageError`. */
export function jsonTextOf({ content, properties }: Received): string {
  const { contentType } = properties;
  if (contentType !== undefined && !/^application\/json *(?:;|$)/i.test(contentType))
    throw new MalformedMessageError(`content_type ${contentType} is not application/json`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch (cause) {
    throw new MalformedMessageError('The content is not UTF-8', { cause });
  }
}
