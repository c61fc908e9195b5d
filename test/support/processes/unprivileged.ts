/** The user `nobody`. */
export const unprivilegedUid = 65534;

/**
 * Runs a function as an unprivileged user, because file permissions do not bind root, which CI runs as. All threads
 * change their user meanwhile, so nothing else may run.
 */
export async function unprivileged<Result>(run: () => Promise<Result>): Promise<Result> {
  if (process.getuid?.() !== 0) return await run();
  process.seteuid?.(unprivilegedUid);
  try {
    return await run();
  } finally {
    process.seteuid?.(0);
  }
}
