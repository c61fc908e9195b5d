import type { CallContext, ServedMethod } from '../../../runtime/handlers.ts';
import type { Codec } from '../../../runtime/method.ts';

const json: Codec<unknown> = {
  toJson: (message) => message,
  parse: async (text) => JSON.parse(text),
  toBinary: (message) => Buffer.from(JSON.stringify(message)),
  fromBinary: (bytes) => JSON.parse(Buffer.from(bytes).toString()),
};

/** Returns a service with one method, `prueba.v1.Eco/Repetir`, whose messages are any JSON. */
export function ecoMethods(
  handle: (request: unknown, context: CallContext) => Promise<unknown>,
): readonly ServedMethod[] {
  const names = { service: 'prueba.v1.Eco', name: 'Repetir', fullName: 'prueba.v1.Eco/Repetir' };
  return [{ method: { ...names, kind: 'unary', repeatable: true, request: json, response: json }, handle }];
}
