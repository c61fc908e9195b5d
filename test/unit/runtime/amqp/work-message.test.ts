import type { MessageProperties } from 'amqplib';
import { expect } from 'chai';
import fc from 'fast-check';
import { decodeGrpcMessage, encodeGrpcMessage } from '../../../../runtime/amqp/grpc-message.ts';
import { MalformedMessageError, type Received } from '../../../../runtime/amqp/message-fields.ts';
import {
  decodeReplyAddress,
  decodeResult,
  decodeWork,
  type Encoded,
  encodeReply,
  encodeWork,
  type WorkMessage,
  type WorkResult,
} from '../../../../runtime/amqp/work-message.ts';

const work: WorkMessage = {
  id: '019a0000-0000-7000-8000-000000000000',
  type: 'archivos.v1.ListadoService/ListarArchivos',
  request: '{"ruta":"año"}',
  replyTo: 'archivero.respuestas.abc.v1',
  requestId: 'peticion',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  expiresAt: 1_795_231_495_097,
  attempt: 1,
  replyToken: 'testigo',
};

const received = ({ content, properties }: Encoded): Received => ({
  content,
  properties: properties as unknown as MessageProperties,
});

describe('a message in a queue', () => {
  it('has a request as readable JSON, and decodes to it', () => {
    const { content, properties } = encodeWork(work);
    expect(content.toString()).to.equal('{"ruta":"año"}');
    expect(properties).to.deep.include({
      contentType: 'application/json',
      type: work.type,
      persistent: true,
      messageId: work.id,
      correlationId: work.id,
      replyTo: work.replyTo,
    });
    expect(properties.headers).to.deep.equal({
      traceparent: work.traceparent,
      'x-request-id': 'peticion',
      'x-vence': 1_795_231_495_097,
      'x-intento': 1,
      'x-testigo': 'testigo',
    });
    expect(properties).not.to.have.property('expiration');
    expect(decodeWork(received({ content, properties }))).to.deep.equal(work);
  });

  it('carries tracestate in a header of its own, as a request and as a reply', () => {
    const traceparent = `${work.traceparent} vendor=1,other=2`;
    const request = encodeWork({ ...work, traceparent });
    expect(request.properties.headers).to.include({
      traceparent: work.traceparent,
      tracestate: 'vendor=1,other=2',
    });
    expect(decodeWork(received(request))).to.include({ traceparent });
    const reply = encodeReply({ ...work, traceparent, result: { kind: 'answer', response: '{}' } });
    expect(decodeReplyAddress(received(reply))).to.include({ traceparent });
  });

  /** Returns the request as it decodes when its properties and its content are changed. */
  function decodedWith(change: object, content: Buffer = Buffer.from(work.request)): WorkMessage {
    const { properties } = encodeWork(work);
    return decodeWork(received({ content, properties: { ...properties, ...change } }));
  }
  const { headers } = encodeWork(work).properties;
  const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

  it('is a request without all that a reply can do without', () => {
    const { messageId, contentType, timestamp, headers: _, ...least } = encodeWork(work).properties;
    const decoded = decodeWork(received({ content: Buffer.from('{}'), properties: least }));
    expect(decoded).to.deep.include({ id: work.id, traceparent: '', replyToken: undefined });
    expect(decoded.requestId).to.match(/^[0-9a-f-]{36}$/);
    expect(decoded).not.to.have.property('problem');
    expect(encodeReply({ ...decoded, result: { kind: 'poison' } }).properties.headers).to.deep.equal({
      'x-estado': 'fallida',
      'x-testigo': undefined,
    });
  });

  it('is a request with its texts as byte arrays, too', () => {
    const asBytes = Object.entries(headers ?? {}).map(([name, value]) => [name, Buffer.from(String(value))]);
    const { traceparent, requestId, replyToken, ...rest } = decodedWith({
      headers: Object.fromEntries(asBytes),
    });
    expect({ traceparent, requestId, replyToken }).to.deep.equal({
      traceparent: work.traceparent,
      requestId: 'peticion',
      replyToken: 'testigo',
    });
    expect(rest).not.to.have.property('problem');
  });

  for (const [problem, change, content] of [
    ['correlation_id is missing', { correlationId: undefined, messageId: undefined }],
    ['correlation_id is not UTF-8', { correlationId: bytes('\xff').toString() }],
    ['correlation_id contains NUL', { correlationId: 'a\0b' }],
    ['type is missing', { type: undefined }],
    ['x-testigo is no text', { headers: { ...headers, 'x-testigo': 7 } }],
    ['x-testigo is longer than 255 bytes', { headers: { ...headers, 'x-testigo': 'ñ'.repeat(128) } }],
    ['content_type text/plain is not application/json', { contentType: 'text/plain' }],
    ['content_encoding gzip is not known for requests', { contentEncoding: 'gzip' }],
    ['The content is not UTF-8', {}, bytes('{"ruta":"\xff"}')],
    ['type is missing; The content is not UTF-8', { type: '' }, bytes('\xff')],
  ] as const) {
    it(`is a request that is answered with its problem: ${problem}`, () => {
      expect(decodedWith(change, content).problem).to.equal(problem);
    });
  }

  for (const replyTo of [undefined, '', 'a'.repeat(256), '\ufffd']) {
    it(`is no request when nobody can be answered: reply_to ${replyTo?.slice(0, 5)}`, () => {
      expect(() => decodedWith({ replyTo })).to.throw(MalformedMessageError, 'reply_to');
    });
  }

  it('is a request again when it is encoded, whatever headers it had', () => {
    const strange = fc.oneof(
      fc.constantFrom(...[null, Number.NaN, true, Buffer.from([0xff]), { '!': 'timestamp', value: 1 }, [[]]]),
      fc.string({ maxLength: 300 }),
      fc.double(),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(headers ?? {})), strange), (given) => {
        const again = encodeWork(decodedWith({ headers: given }));
        const values = Object.values(again.properties.headers ?? {}).filter((value) => value !== undefined);
        for (const value of values)
          expect(value).to.satisfy(
            typeof value === 'string' ? () => value.length <= 255 : Number.isSafeInteger,
          );
      }),
    );
  });

  for (const result of [
    { kind: 'answer', response: '{"archivos":[]}' },
    { kind: 'status', code: 5, message: 'ruta-no-existe: The folder does not exist' },
    { kind: 'poison' },
  ] as const) {
    it(`decodes to the reply that was encoded: ${result.kind}`, () => {
      const { id, replyToken, traceparent } = work;
      const reply = received(encodeReply({ id, replyToken, traceparent, result }));
      expect(decodeReplyAddress(reply)).to.deep.equal({ id, replyToken, traceparent });
      expect(decodeResult(reply)).to.deep.equal(result);
    });
  }

  /** Returns the result of a reply with these headers. */
  function resultWith(given: object, more = {}, content = '{}'): WorkResult {
    return decodeResult(received({ content: Buffer.from(content), properties: { headers: given, ...more } }));
  }

  for (const status of [5, '5', Buffer.from('5')]) {
    it(`is a reply with grpc-status as ${typeof status}`, () => {
      const told = { 'grpc-status': status, 'grpc-message': Buffer.from('no%20hay') };
      expect(resultWith(told)).to.deep.equal({ kind: 'status', code: 5, message: 'no hay' });
    });
  }

  for (const status of [99, -1, '17']) {
    it(`decodes to UNKNOWN when its grpc-status is no gRPC status: ${status}`, () => {
      expect(resultWith({ 'grpc-status': status })).to.deep.equal({ kind: 'status', code: 2, message: '' });
    });
  }

  for (const [problem, given, more] of [
    ['grpc-status is missing', {}],
    ['grpc-status is missing', { 'x-estado': 'quizas' }],
    ['grpc-status is no integer', { 'grpc-status': 'OK' }],
    ['grpc-status is no integer', { 'grpc-status': 0.5 }],
    ['grpc-status is no integer', { 'grpc-status': null }],
    ['content_type text/plain', { 'grpc-status': 0 }, { contentType: 'text/plain' }],
  ] as const) {
    it(`is a reply that cannot be read: ${problem}, ${JSON.stringify(given)}`, () => {
      expect(() => resultWith(given, more)).to.throw(MalformedMessageError, problem);
    });
  }
});

describe('a status message in a header', () => {
  it('decodes to the text that was encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 25 }), (text) => {
        const encoded = encodeGrpcMessage(text);
        expect(encoded).to.match(/^[\x20-\x7e]*$/);
        expect(decodeGrpcMessage(encoded)).to.equal(text);
      }),
    );
  });

  it('is cut between two characters when it is too long', () => {
    const cut = (text: string): string => decodeGrpcMessage(encodeGrpcMessage(text));
    expect(cut('a'.repeat(3000))).to.equal('a'.repeat(2048));
    expect(cut(`a${'ñ'.repeat(3000)}`)).to.equal(`a${'ñ'.repeat(341)}`);
    expect(cut('😀'.repeat(3000))).to.equal('😀'.repeat(170));
  });

  it('decodes without an error when it is badly encoded', () => {
    expect(decodeGrpcMessage('100% ñ %zz %C3%B1 %')).to.equal('100% ñ %zz ñ %');
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void decodeGrpcMessage(text)));
  });
});
