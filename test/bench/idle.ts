/** Measures memory and start of an idle gateway: `node test/bench/idle.ts [starts]`. */
import { measureIdle } from './gateway/idle.ts';

console.log(await measureIdle(Number(process.argv[2] ?? 5)));
