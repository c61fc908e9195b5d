import { spawnSync } from 'node:child_process';

/** Returns why strace cannot be used on this machine; undefined when it can. */
export function straceMissing(): string | undefined {
  const { status } = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', 'true']);
  return status === 0 ? undefined : 'strace is not installed, or not allowed to trace here';
}
