import { parentPort, workerData } from 'node:worker_threads';
import { FileError } from '../filesystem/file-error.ts';
import { openRoot } from '../filesystem/root.ts';
import { BuscarArchivosResponse, TransmitirBusquedaResponse } from '../proto/gen/archivos/v1/busqueda.ts';
import { Answering } from './answering.ts';
import { Crawler, type Knowledge } from './crawl/crawler.ts';
import { SnapshotFile } from './crawl/snapshot-file.ts';
import { collectGarbage } from './garbage.ts';
import type { Ask, IndexerData, Reply } from './indexer-messages.ts';
import { SurveyorThread } from './survey/surveyor-thread.ts';

const port = parentPort;
if (port === null) throw new Error('This module runs in a worker thread');
const data = workerData as IndexerData;
const root = openRoot(data.root);

const reply = (message: Reply): void => {
  port.postMessage(message, message.kind === 'answer' && message.bytes ? [message.bytes.buffer] : []);
};
const log = (level: 'info' | 'warn', fields: Readonly<Record<string, unknown>>, text: string): void =>
  reply({ kind: 'log', level, fields, text });
const logSize = (estado: Knowledge, text: string): void => {
  const ms = Math.round(performance.now() - startedAt);
  log('info', { estado, entries: index.entries, folders: index.folders, ms }, text);
};

/** How often it is asked whether the index should be saved. */
const saveMs = 30_000;
const startedAt = performance.now();
const snapshots = new SnapshotFile({ file: data.snapshot, root: data.root, log });
const { index, restored } = snapshots.load();
if (restored) logSize('verificando', 'index');
const watchLimit = data.watches === undefined ? undefined : Math.floor(data.watches / data.surveyors);
const surveyors = Array.from(
  { length: data.surveyors },
  (_, number) =>
    new SurveyorThread({ root: data.root, watchLimit }, (message) => crawler.receive(number, message)),
);
const crawler: Crawler = new Crawler({
  index,
  restored,
  root,
  surveyors,
  sweepMs: data.sweepMs,
  onKnowledge: (estado) => {
    logSize(estado, 'index');
    if (estado !== 'listo') return;
    collectGarbage();
    void snapshots.saveNowAndThen(index);
  },
  onNamed: () => logSize(crawler.knowledge, 'all names are known'),
  onWatched: (watched, folders) => {
    if (watched === folders) return;
    log(
      'warn',
      { watched, folders, sweepMs: data.sweepMs },
      'not every folder can be watched: the others are looked through from time to time',
    );
  },
});
const answering = new Answering({ root, index, crawler });
crawler.start();
const saving = setInterval(() => {
  if (crawler.knowledge === 'listo') void snapshots.saveNowAndThen(index);
}, saveMs);

interface Running {
  readonly abort: AbortController;
  /** Of a stream. */
  readonly parts?: AsyncGenerator<TransmitirBusquedaResponse, void>;
}

const running = new Map<number, Running>();

async function answer({ id, request, whenReady }: Ask & { kind: 'search' }): Promise<void> {
  const abort = new AbortController();
  running.set(id, { abort });
  await settle(id, async () => {
    const page = await answering.page(request, { signal: abort.signal, whenReady });
    return BuscarArchivosResponse.encode(page).finish();
  });
  running.delete(id);
}

function begin({ id, request }: Ask & { kind: 'stream' }): void {
  const abort = new AbortController();
  const parts = answering.all(request, abort.signal);
  running.set(id, { abort, parts });
  void more(id, parts);
}

async function more(id: number, parts: AsyncGenerator<TransmitirBusquedaResponse, void>): Promise<void> {
  await settle(id, async () => {
    const { value, done } = await parts.next();
    return done === true ? undefined : TransmitirBusquedaResponse.encode(value).finish();
  });
}

async function settle(id: number, make: () => Promise<Uint8Array | undefined>): Promise<void> {
  try {
    const bytes = await make();
    reply({ kind: 'answer', id, bytes: bytes && new Uint8Array(bytes) });
  } catch (error) {
    if (error instanceof FileError) {
      const { code, reason, message } = error;
      reply({ kind: 'refused', id, refusal: { code, reason, message } });
    } else reply({ kind: 'failed', id, error });
  }
}

/** A stream holds a view of the index, even while nobody asks for more of it. */
function end(id: number): void {
  const it = running.get(id);
  it?.abort.abort();
  running.delete(id);
  it?.parts?.return().catch(() => undefined);
}

async function stop(): Promise<void> {
  clearInterval(saving);
  crawler.stop();
  for (const id of running.keys()) end(id);
  await Promise.all(surveyors.map((surveyor) => surveyor.ended()));
  if (crawler.knowledge !== 'construyendo') await snapshots.save(index);
  port?.close();
}

port.on('message', (ask: Ask) => {
  switch (ask.kind) {
    case 'search':
      void answer(ask);
      break;
    case 'stream':
      begin(ask);
      break;
    case 'more': {
      const parts = running.get(ask.id)?.parts;
      if (parts !== undefined) void more(ask.id, parts);
      break;
    }
    case 'abort':
      end(ask.id);
      break;
    case 'stop':
      void stop();
  }
});
