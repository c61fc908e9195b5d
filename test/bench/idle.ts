/** What a gateway takes that does nothing, and how soon it answers: `node test/bench/idle.ts [starts]`. */
import { measureIdle } from './gateway/idle.ts';

console.log(await measureIdle(Number(process.argv[2] ?? 5)));
