import { expect } from 'chai';
import { type Classification, classify } from '../../../gateway/calls/classifier.ts';
import type { GrpcFailure } from '../../../gateway/calls/transport.ts';
import { Status } from '../../../runtime/status.ts';

/**
 * The whole table, written by hand. Expected is `verdict` (the same status), `broken` (INTERNAL, a fault of the gateway), or
 * `unreachable` with its proxy error and, when the breaker opens, `opens`.
 */
const table = `
code                 origin        sent  expected
CANCELLED            server        no    unreachable connection_terminated
CANCELLED            server        yes   unreachable connection_terminated
UNKNOWN              server        no    verdict
UNKNOWN              server        yes   verdict
INVALID_ARGUMENT     server        no    verdict
INVALID_ARGUMENT     server        yes   verdict
DEADLINE_EXCEEDED    server        no    verdict
DEADLINE_EXCEEDED    server        yes   verdict
NOT_FOUND            server        no    verdict
NOT_FOUND            server        yes   verdict
ALREADY_EXISTS       server        no    verdict
ALREADY_EXISTS       server        yes   verdict
PERMISSION_DENIED    server        no    verdict
PERMISSION_DENIED    server        yes   verdict
RESOURCE_EXHAUSTED   server        no    verdict
RESOURCE_EXHAUSTED   server        yes   verdict
FAILED_PRECONDITION  server        no    verdict
FAILED_PRECONDITION  server        yes   verdict
ABORTED              server        no    verdict
ABORTED              server        yes   verdict
OUT_OF_RANGE         server        no    verdict
OUT_OF_RANGE         server        yes   verdict
UNIMPLEMENTED        server        no    verdict
UNIMPLEMENTED        server        yes   verdict
INTERNAL             server        no    verdict
INTERNAL             server        yes   verdict
UNAVAILABLE          server        no    unreachable destination_unavailable
UNAVAILABLE          server        yes   unreachable destination_unavailable
DATA_LOSS            server        no    verdict
DATA_LOSS            server        yes   verdict
UNAUTHENTICATED      server        no    verdict
UNAUTHENTICATED      server        yes   verdict

CANCELLED            client        no    unreachable connection_terminated
CANCELLED            client        yes   unreachable connection_terminated
UNKNOWN              client        no    broken
UNKNOWN              client        yes   broken
INVALID_ARGUMENT     client        no    broken
INVALID_ARGUMENT     client        yes   broken
DEADLINE_EXCEEDED    client        no    unreachable connection_timeout opens
DEADLINE_EXCEEDED    client        yes   unreachable http_response_timeout
NOT_FOUND            client        no    broken
NOT_FOUND            client        yes   broken
ALREADY_EXISTS       client        no    broken
ALREADY_EXISTS       client        yes   broken
PERMISSION_DENIED    client        no    broken
PERMISSION_DENIED    client        yes   broken
RESOURCE_EXHAUSTED   client        no    broken
RESOURCE_EXHAUSTED   client        yes   broken
FAILED_PRECONDITION  client        no    broken
FAILED_PRECONDITION  client        yes   broken
ABORTED              client        no    broken
ABORTED              client        yes   broken
OUT_OF_RANGE         client        no    broken
OUT_OF_RANGE         client        yes   broken
UNIMPLEMENTED        client        no    broken
UNIMPLEMENTED        client        yes   broken
INTERNAL             client        no    broken
INTERNAL             client        yes   broken
UNAVAILABLE          client        no    unreachable destination_unavailable opens
UNAVAILABLE          client        yes   unreachable connection_terminated opens
DATA_LOSS            client        no    broken
DATA_LOSS            client        yes   broken
UNAUTHENTICATED      client        no    broken
UNAUTHENTICATED      client        yes   broken

CANCELLED            intermediary  no    unreachable destination_unavailable
CANCELLED            intermediary  yes   unreachable destination_unavailable
UNKNOWN              intermediary  no    unreachable destination_unavailable
UNKNOWN              intermediary  yes   unreachable destination_unavailable
INVALID_ARGUMENT     intermediary  no    unreachable destination_unavailable
INVALID_ARGUMENT     intermediary  yes   unreachable destination_unavailable
DEADLINE_EXCEEDED    intermediary  no    unreachable destination_unavailable
DEADLINE_EXCEEDED    intermediary  yes   unreachable destination_unavailable
NOT_FOUND            intermediary  no    unreachable destination_unavailable
NOT_FOUND            intermediary  yes   unreachable destination_unavailable
ALREADY_EXISTS       intermediary  no    unreachable destination_unavailable
ALREADY_EXISTS       intermediary  yes   unreachable destination_unavailable
PERMISSION_DENIED    intermediary  no    unreachable destination_unavailable
PERMISSION_DENIED    intermediary  yes   unreachable destination_unavailable
RESOURCE_EXHAUSTED   intermediary  no    unreachable destination_unavailable
RESOURCE_EXHAUSTED   intermediary  yes   unreachable destination_unavailable
FAILED_PRECONDITION  intermediary  no    unreachable destination_unavailable
FAILED_PRECONDITION  intermediary  yes   unreachable destination_unavailable
ABORTED              intermediary  no    unreachable destination_unavailable
ABORTED              intermediary  yes   unreachable destination_unavailable
OUT_OF_RANGE         intermediary  no    unreachable destination_unavailable
OUT_OF_RANGE         intermediary  yes   unreachable destination_unavailable
UNIMPLEMENTED        intermediary  no    unreachable destination_unavailable
UNIMPLEMENTED        intermediary  yes   unreachable destination_unavailable
INTERNAL             intermediary  no    unreachable destination_unavailable
INTERNAL             intermediary  yes   unreachable destination_unavailable
UNAVAILABLE          intermediary  no    unreachable destination_unavailable
UNAVAILABLE          intermediary  yes   unreachable destination_unavailable
DATA_LOSS            intermediary  no    unreachable destination_unavailable
DATA_LOSS            intermediary  yes   unreachable destination_unavailable
UNAUTHENTICATED      intermediary  no    unreachable destination_unavailable
UNAUTHENTICATED      intermediary  yes   unreachable destination_unavailable
`;

/** Failures that grpc-js 1.14.7 tells apart only by its texts. A text that the server sent decides nothing. */
const texts = `
code                sent  expected                                     message
INTERNAL            yes   unreachable connection_terminated            Received RST_STREAM with code 2 (Internal server error)
INTERNAL            yes   unreachable connection_terminated            Received RST_STREAM with code 0 (Call ended without gRPC status)
INTERNAL            no    unreachable destination_unavailable opens    Failed to start HTTP/2 stream with error New streams cannot be created after receiving a GOAWAY
INTERNAL            yes   broken                                       The response cannot be decoded: RangeError: index out of range
INTERNAL            no    broken                                       The request cannot be encoded: TypeError: no
RESOURCE_EXHAUSTED  yes   unreachable destination_unavailable          Bandwidth exhausted or memory limit exceeded
RESOURCE_EXHAUSTED  yes   too-large                                    Received message larger than max (68157447 vs 67108864)
PERMISSION_DENIED   yes   unreachable destination_unavailable          Protocol not secure enough
UNIMPLEMENTED       yes   broken                                       No message received
UNKNOWN             yes   broken                                       No status information received
UNAVAILABLE         no    unreachable destination_unavailable          Stream refused by server
UNAVAILABLE         no    unreachable connection_refused opens         No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:5001. Resolution note:
UNAVAILABLE         no    unreachable connection_timeout opens         No connection established. Last error: Error: connect ETIMEDOUT 10.0.0.1:5001. Resolution note:
UNAVAILABLE         no    unreachable destination_unavailable opens    No connection established. Last error: Protocol error (2026-11-21T03:19:33.904Z). Resolution note:
UNAVAILABLE         no    unreachable dns_error opens                  Name resolution failed for target dns:nadie.invalid:5001
UNAVAILABLE         no    unreachable destination_unavailable opens    The channel is closed
UNAVAILABLE         yes   unreachable connection_terminated opens      Connection dropped
UNAVAILABLE         yes   unreachable connection_terminated opens      read ECONNRESET
CANCELLED           yes   unreachable connection_terminated            Call cancelled
DEADLINE_EXCEEDED   no    unreachable connection_timeout opens         No answer in 2000 ms
DEADLINE_EXCEEDED   yes   unreachable http_response_timeout            No answer in 2000 ms
`;

function rowsOf(text: string): readonly string[][] {
  const [, ...rows] = text.trim().split('\n').filter(Boolean);
  return rows.map((row) => row.split(/ {2,}/));
}

const plain = 'ruta-no-existe: The folder does not exist';
type Name = Exclude<keyof typeof Status, 'OK'>;

function failure(name: string, origin: string, sent: string, message = plain): GrpcFailure {
  const code = Status[name as Name];
  return {
    code,
    message,
    origin: origin as GrpcFailure['origin'],
    sent: sent === 'yes',
    cancelledByUs: false,
  };
}

function expected(text: string, { code, message }: GrpcFailure): Classification {
  const [kind, proxyError, opens] = text.split(' ');
  if (kind === 'verdict') return { kind: 'verdict', ok: false, code, message };
  if (kind === 'broken') return internal('error-interno: Internal error');
  if (kind === 'too-large') return internal('respuesta-demasiado-grande: The answer is too large');
  return {
    kind: 'unreachable',
    proxyError: proxyError as (Classification & { kind: 'unreachable' })['proxyError'],
    opensBreaker: opens === 'opens',
  };
}

const internal = (message: string): Classification => ({
  kind: 'verdict',
  ok: false,
  code: Status.INTERNAL,
  message,
});

describe('the classifier', () => {
  const rows = rowsOf(table);

  it('is tested with every combination of code, origin and sent', () => {
    const codes = Object.keys(Status).filter((name) => name !== 'OK');
    const wanted = codes.flatMap((code) =>
      ['server', 'client', 'intermediary'].flatMap((origin) => [
        `${code} ${origin} no`,
        `${code} ${origin} yes`,
      ]),
    );
    expect(rows.map(([code, origin, sent]) => `${code} ${origin} ${sent}`)).to.have.members(wanted);
  });

  for (const [code = '', origin = '', sent = '', outcome = ''] of rows) {
    it(`gives ${outcome} for ${code} from the ${origin} when the request was ${sent === 'yes' ? '' : 'not '}sent`, () => {
      const given = failure(code, origin, sent);
      expect(classify(given)).to.deep.equal(expected(outcome, given));
    });
  }

  for (const [code = '', sent = '', outcome = '', message = ''] of rowsOf(texts)) {
    it(`gives ${outcome} for ${code} from the client with "${message}"`, () => {
      const given = failure(code, 'client', sent, message);
      expect(classify(given)).to.deep.equal(expected(outcome, given));
    });

    it(`ignores the text of ${code} from the server: "${message}"`, () => {
      const row = rows.find(
        ([name, origin, wasSent]) => name === code && origin === 'server' && wasSent === sent,
      );
      const given = failure(code, 'server', sent, message);
      expect(classify(given)).to.deep.equal(expected(row?.[3] ?? '', given));
    });
  }

  it('gives gone for every failure when the disconnect signal cancelled the call', () => {
    const all = [
      ...rows.map(([code = '', origin = '', sent = '']) => failure(code, origin, sent)),
      ...rowsOf(texts).map(([code = '', sent = '', , message]) => failure(code, 'client', sent, message)),
    ];
    for (const given of all) {
      expect(classify({ ...given, cancelledByUs: true })).to.deep.equal({ kind: 'gone' });
    }
  });
});
