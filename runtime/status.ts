/**
 * The gRPC status codes, by name.
 * https://grpc.github.io/grpc/core/md_doc_statuscodes.html
 */
export const Status = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type Status = (typeof Status)[keyof typeof Status];

const names = new Map<number, keyof typeof Status>(
  Object.entries(Status).map(([name, code]) => [code, name as keyof typeof Status]),
);

/** Returns the name of a code; `UNKNOWN` for a number that is no gRPC status, as the specification asks. */
export function statusName(code: number): keyof typeof Status {
  return names.get(code) ?? 'UNKNOWN';
}

/** Converts a number from the wire; a number that is no gRPC status becomes `UNKNOWN`. */
export function toStatus(code: number): Status {
  return Status[statusName(code)];
}
