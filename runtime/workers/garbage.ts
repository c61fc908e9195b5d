import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Gives back the memory that a build or a sweep has left in this thread's heap: tens of megabytes that would stay, because
 * V8 collects when it needs room, and an index that is done needs none. Takes some 10 ms. Node has no way to ask for it but a flag.
 */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
