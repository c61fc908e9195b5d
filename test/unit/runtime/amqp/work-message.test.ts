import type { MessageProperties } from 'amqplib';
import { expect } from 'chai';
import fc from 'fast-check';
import { decodeGrpcMessage, encodeGrpcMessage } from '../../../../runtime/amqp/grpc-message.ts';
import {
  decodeReply,
  decodeWork,
  type Encoded,
  encodeReply,
  encodeWork,
  MalformedMessageError,
  type Received,
  type WorkMessage,
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
    expect(decodeReply(received(reply))).to.include({ traceparent });
  });

  const { headers } = encodeWork(work).properties;
  const bad: Record<string, object> = {
    'no message_id': { messageId: undefined },
    'no type': { type: undefined },
    'no reply_to': { replyTo: undefined },
    'no headers': { headers: undefined },
    'a time that is no number': { headers: { ...headers, 'x-vence': 'ayer' } },
    'a reply token that is no text': { headers: { ...headers, 'x-testigo': 7 } },
  };
  for (const [name, change] of Object.entries(bad)) {
    it(`is refused when it has ${name}`, () => {
      const { content, properties } = encodeWork(work);
      const changed = received({ content, properties: { ...properties, ...change } });
      expect(() => decodeWork(changed)).to.throw(MalformedMessageError);
    });
  }

  for (const result of [
    { kind: 'answer', response: '{"archivos":[]}' },
    { kind: 'status', code: 5, message: 'ruta-no-existe: The folder does not exist' },
    { kind: 'poison' },
  ] as const) {
    it(`decodes to the reply that was encoded: ${result.kind}`, () => {
      const reply = { id: work.id, replyToken: work.replyToken, result };
      expect(decodeReply(received(encodeReply(reply)))).to.deep.equal(reply);
    });
  }

  it('decodes to UNKNOWN when its grpc-status is no gRPC status', () => {
    const { content } = encodeReply({ id: 'a', replyToken: 'b', result: { kind: 'poison' } });
    const properties = { correlationId: 'a', headers: { 'grpc-status': 99, 'x-testigo': 'b' } };
    expect(decodeReply(received({ content, properties })).result).to.deep.equal({
      kind: 'status',
      code: 2,
      message: '',
    });
  });
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
