/** A text that is no JSON, or no proto3 JSON of the wanted message. */
export class ProtoJsonError extends Error {
  override readonly name = 'ProtoJsonError';
}
