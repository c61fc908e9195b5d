import type { Narrator } from './narrator.ts';
import type { Stage } from './stage.ts';

/** A service goes away and comes back, and nobody who asked meanwhile goes without an answer. */
export async function tellStory({ say, type, begin, until, show }: Narrator, stage: Stage): Promise<void> {
  const { url } = stage;
  for (const name of ['mserv1', 'mserv2', 'gateway'] as const) {
    show(`$ ${stage.commandOf(name)}`);
    await stage.start(name);
  }
  await say('Three processes: mserv1 lists, mserv2 searches, and the gateway asks them by gRPC.');
  const direct = await type(`curl -s '${url}/listar_archivos?ruta=Recetas&formato=nombres'`);
  await type(`curl -s -G ${url}/buscar_archivos --data-urlencode 'nombre=técnico' -d formato=nombres`);

  await say('mserv1 is stopped, as with Ctrl-C in its terminal…');
  const left = stage.leave('mserv1');
  await type(`kill -INT ${stage.pidOf('mserv1')}`);
  await left;
  await say('…and the same question gets a 202: it is committed, and its answer will wait under Location.');
  const accepted = await type(`curl -si '${url}/listar_archivos?ruta=Recetas&formato=nombres'`);
  const location = /^location: (\S+)$/im.exec(accepted)?.[1];
  if (location === undefined) throw new Error('It was not accepted');

  if (stage.rabbit === undefined) {
    await say('Without RabbitMQ it waits in the ledger:');
    await type(`curl -s '${url}/solicitudes?estado=aceptada'`);
  } else {
    await say('It waits in the queue of mserv1, as the management UI shows it too:');
    const queue = `${stage.rabbit.managementUrl.replace('guest:guest@', '')}/api/queues/%2F/archivero.mserv1.v1`;
    const depth = `curl -s -u guest:guest '${queue}' | grep -o '"messages":[0-9]*' | head -1`;
    // The broker counts twice a second here; otherwise every five seconds.
    await until(`${depth} | grep -q ':1$'`);
    await type(depth);
  }

  await say('Who would rather wait than ask again says so. This curl hangs:');
  const waiting = begin(`curl -s -H 'Prefer: wait=50' '${url}/listar_archivos?formato=nombres'`);
  await say('mserv1 is started again in its terminal…');
  show(`$ ${stage.commandOf('mserv1')}`);
  await stage.start('mserv1');
  await say('…and the curl that hung prints:');
  await waiting.ended();

  await say('The first one has its answer too, byte for byte what the direct call gave:');
  const later = await type(`curl -s -H 'Prefer: wait=50' ${url}${location}/respuesta`);
  if (later !== direct) throw new Error('The two answers differ');
  await say('And what became of it:');
  await type(`curl -s ${url}${location}`);
  await say('npm run demo -- catastrofe kills everything, and deletes what the broker had.');
}
