const nobody = 65534;

/**
 * Runs something as a user whom permissions apply to: they do not for root, as whom CI runs. Threads share the user,
 * so nothing else may run meanwhile.
 */
export async function unprivileged<Result>(run: () => Promise<Result>): Promise<Result> {
  if (process.getuid?.() !== 0) return await run();
  process.seteuid?.(nobody);
  try {
    return await run();
  } finally {
    process.seteuid?.(0);
  }
}
