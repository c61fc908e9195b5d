import type { Narrator } from './narrator.ts';
import type { Stage } from './stage.ts';

/** Tells how a service stops and returns, and every request made meanwhile is answered. */
export async function tellStory({ say, type, begin, until, show }: Narrator, stage: Stage): Promise<void> {
  const { url } = stage;
  for (const name of ['mserv1', 'mserv2', 'gateway'] as const) {
    show(`$ ${stage.commandOf(name)}`);
    await stage.start(name);
  }
  await say('Three processes: mserv1 lists, mserv2 searches, and the gateway calls them by gRPC.');
  const direct = await type(`curl -s '${url}/listar_archivos?ruta=Recetas&formato=nombres'`);
  await type(`curl -s -G ${url}/buscar_archivos --data-urlencode 'nombre=técnico' -d formato=nombres`);

  await say('mserv1 is stopped, as with Ctrl-C in its terminal…');
  const exit = stage.expectExit('mserv1');
  await type(`kill -INT ${stage.pidOf('mserv1')}`);
  await exit;
  await say('…and the same request gets a 202: it is committed, and its answer will be at Location.');
  const accepted = await type(`curl -si '${url}/listar_archivos?ruta=Recetas&formato=nombres'`);
  const location = /^location: (\S+)$/im.exec(accepted)?.[1];
  if (location === undefined) throw new Error('It was not accepted');

  if (stage.rabbit === undefined) {
    await say('Without RabbitMQ it waits in the ledger:');
    await type(`curl -s '${url}/solicitudes?estado=aceptada'`);
  } else {
    await say('It waits in the queue of mserv1, as in the management UI:');
    const queue = `${stage.rabbit.managementUrl.replace('guest:guest@', '')}/api/queues/%2F/archivero.mserv1.v1`;
    const depth = `curl -s -u guest:guest '${queue}' | grep -o '"messages":[0-9]*' | head -1`;
    // Here the broker updates its counts twice a second; by default every five seconds.
    await until(`${depth} | grep -q ':1$'`);
    await type(depth);
  }

  await say('With Prefer: wait the request waits for its answer. This curl hangs:');
  const waiting = begin(`curl -s -H 'Prefer: wait=50' '${url}/listar_archivos?formato=nombres'`);
  await say('mserv1 is started again in its terminal…');
  show(`$ ${stage.commandOf('mserv1')}`);
  await stage.start('mserv1');
  await say('…and the curl that hung prints:');
  await waiting.ended();

  await say('The first request has its answer too, byte for byte that of the direct call:');
  const later = await type(`curl -s -H 'Prefer: wait=50' ${url}${location}/respuesta`);
  if (later !== direct) throw new Error('The two answers differ');
  await say('And its history:');
  await type(`curl -s ${url}${location}`);
  await say("npm run demo -- catastrofe kills everything and deletes the broker's data.");
}
