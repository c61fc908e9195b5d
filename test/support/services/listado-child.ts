/**
 * Runs a listing service as a process that tests freeze and kill, by `startProcess`. A request for the folder `cuelga` is
 * logged as `hangs` and never answered; any other is answered with an empty page. LISTADO_PORT lets a test restart the
 * service on the port that it had.
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
