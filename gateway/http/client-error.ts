import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type PlainSlug, ProblemError, renderProblem } from './problem.ts';

const slugOfCode: Readonly<Record<string, PlainSlug>> = {
  HPE_HEADER_OVERFLOW: 'cabeceras-demasiado-grandes',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'cuerpo-demasiado-grande',
  ERR_HTTP_REQUEST_TIMEOUT: 'peticion-lenta',
};

/**
 * Answers a connection that does not send valid HTTP (the server's event `clientError`); Node's own answer has no body. No
 * request was parsed, so the client's language and target are unknown.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const slug = slugOfCode[error.code ?? ''] ?? 'peticion-no-valida';
  const { status, headers, body } = renderProblem(new ProblemError(slug), {
    idioma: 'es',
    instance: undefined,
  });
  const fields = {
    ...headers,
    'content-length': body.length,
    'x-content-type-options': 'nosniff',
    'x-request-id': randomUUID(),
    connection: 'close',
  };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(
    Buffer.concat([Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('')}\r\n`), body]),
  );
}
