import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Narrator } from './narrator.ts';
import type { Stage } from './stage.ts';

const count = 500;
/** Simultaneous requests. */
const concurrency = 16;

/**
 * Kills all processes, deletes the broker's data, and checks that every accepted request is answered. Returns whether
 * none is lost.
 */
export async function tellCatastrophe({ say, type, until, show }: Narrator, stage: Stage): Promise<boolean> {
  const { url, rabbit } = stage;
  for (const name of ['mserv2', 'gateway'] as const) {
    show(`$ ${stage.commandOf(name)}`);
    await stage.start(name);
  }
  await say(`mserv1 is not running. ${count} different requests for it:`);
  const headers = join(stage.folder, 'aceptadas.txt');
  await type(
    `curl -s -D ${headers} -o ${join(stage.folder, 'cuerpos.txt')} '${url}/listar_archivos?limite=[1-${count}]'`,
  );
  const accepted = await type(`grep -c '^HTTP/1.1 202' ${headers}`);
  if (accepted !== String(count)) throw new Error(`Only ${accepted} were accepted`);
  const text = await readFile(headers, 'utf8');
  const locations = [...text.matchAll(/^location: (\S+)/gim)].map(([, location]) => String(location));
  if (rabbit !== undefined) {
    await say('The gateway publishes them to the broker:');
    const management = rabbit.managementUrl.replace('guest:guest@', '');
    const queue = `${management}/api/queues/%2F/archivero.mserv1.v1`;
    const depth = `curl -s -u guest:guest '${queue}' | grep -o '"messages":[0-9]*' | head -1`;
    await until(`${depth} | grep -q ':[1-9]'`);
    await type(depth);
  }

  await say('kill -9 of everything:');
  const names = ['gateway', 'mserv2'] as const;
  const exits = names.map((name) => stage.expectExit(name));
  const broker = rabbit?.process?.pid;
  const pids = [...names.map((name) => stage.pidOf(name)), ...(broker === undefined ? [] : [broker])];
  await type(`kill -9 ${pids.join(' ')}`);
  await Promise.all(exits);
  if (rabbit === undefined) {
    await say('There was no broker. Only the ledger is left:');
  } else {
    await rabbit.end('SIGKILL');
    await say("The broker's data is deleted too. Only the ledger is left:");
    await type(`rm -rf ${join(stage.folder, 'rabbitmq', 'data')}`);
  }
  await type(`ls -l ${stage.folder}`);

  await say('Everything is started again, with an empty broker:');
  await rabbit?.start();
  for (const name of ['mserv1', 'mserv2', 'gateway'] as const) {
    show(`$ ${stage.commandOf(name)}`);
    await stage.start(name);
  }
  await say(`Each of the ${count} answers is compared with the answer of a direct call:`);
  show(`$ curl -s -H 'Prefer: wait=50' ${url}/solicitudes/ID/respuesta      # for ${count} IDs`);
  show(`$ curl -s '${url}/listar_archivos?limite=N'                        # for N from 1 to ${count}`);
  const answered = await countAnswered(url, locations);
  show(`\n${answered}/${count}, ${count - answered} lost`);
  return answered === count;
}

/** Counts the requests whose answer equals a direct call's. `locations[0]` belongs to `limite=1`. */
async function countAnswered(url: string, locations: readonly string[]): Promise<number> {
  let answered = 0;
  let next = 0;
  const get = async (path: string, headers: Record<string, string> = {}): Promise<string> => {
    const response = await fetch(url + path, { headers });
    return `${response.status} ${await response.text()}`;
  };
  const worker = async (): Promise<void> => {
    for (let at = next++; at < locations.length; at = next++) {
      const later = await get(`${locations[at]}/respuesta`, { prefer: 'wait=50' });
      const direct = await get(`/listar_archivos?limite=${at + 1}`);
      if (later === direct && later.startsWith('200 ')) answered += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return answered;
}
