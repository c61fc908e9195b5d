/** The reason why a folder cannot be watched, with the numbers of `archivos.v1.Motivo`. */
export const Unwatchable = {
  /** There is no room for more watches. */
  LIMIT: 1,
  /** The file system does not report changes. */
  NO_EVENTS: 2,
} as const;
export type Unwatchable = (typeof Unwatchable)[keyof typeof Unwatchable];
