/**
 * A listing service as a process of its own, to be frozen and killed; run by `startProcess`. It hangs on the folder
 * `cuelga`, and says so, and answers any other with an empty page. LISTADO_PORT is for one that comes back.
 */
import { emptyPage, startListado } from './listado-server.ts';

const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

process.once('disconnect', () => process.exit());
const { port } = await startListado({
  port: Number(process.env['LISTADO_PORT'] ?? 0),
  handle: ({ request: { ruta } }, answer) => {
    if (ruta === 'cuelga') say({ msg: 'hangs' });
    else answer(null, emptyPage);
  },
});
say({ msg: 'listening', port });
say({ msg: 'ready' });
