import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';
import { MalformedMessageError, type Received } from './message-fields.ts';
import type { Encoded } from './work-message.ts';

/** Listings shrink to a tenth or less at any level; this one takes the least time. */
const level = constants.Z_BEST_SPEED;
/** Longest JSON of a message that gRPC would carry, by far: names of control characters grow sixfold. */
const maxBytes = 512 * 1024 * 1024;

/** Compresses a message's content with gzip, which its `content_encoding` says. */
export async function compress({ content, properties }: Encoded): Promise<Encoded> {
  return {
    content: await promisify(gzip)(content, { level }),
    properties: { ...properties, contentEncoding: 'gzip' },
  };
}

/** Returns a message with its content as it was before it was compressed. Rejects with `MalformedMessageError`. */
export async function decompress({ content, properties }: Received): Promise<Received> {
  const coding: unknown = properties.contentEncoding;
  if (coding === undefined) return { content, properties };
  if (coding !== 'gzip') throw new MalformedMessageError(`content_encoding ${coding} is not known`);
  try {
    return { content: await promisify(gunzip)(content, { maxOutputLength: maxBytes }), properties };
  } catch (cause) {
    throw new MalformedMessageError('The content is no gzip', { cause });
  }
}
