import { expect } from 'chai';
import fc from 'fast-check';
import { BadAddressError, joinAddress, parseAddresses } from '../../../gateway/calls/addresses.ts';

describe('the addresses of a service', () => {
  it('are separated by commas', () => {
    expect(parseAddresses('127.0.0.1:5001, localhost:5002,[::1]:5003')).to.deep.equal([
      { kind: 'fixed', address: '127.0.0.1:5001' },
      { kind: 'fixed', address: 'localhost:5002' },
      { kind: 'fixed', address: '[::1]:5003' },
    ]);
  });

  it('may be a DNS name that stands for several', () => {
    expect(parseAddresses('dns:///mserv1.archivos:5001')).to.deep.equal([
      { kind: 'dns', host: 'mserv1.archivos', port: 5001 },
    ]);
  });

  it('are listed once when they are given twice', () => {
    expect(parseAddresses('a:1,a:1')).to.have.length(1);
  });

  for (const bad of [
    '',
    ',',
    'a:1,',
    'mserv1',
    'mserv1:',
    ':5001',
    'mserv1:0',
    'mserv1:65536',
    'mserv1:-1',
    'mserv1:5001x',
    'http://mserv1:5001',
    '::1:5001',
    '[::1]',
    '[mserv1]:5001',
    'dns:mserv1:5001',
    'dns:///mserv1',
    'dns:///[::1]:5001',
    'dns://8.8.8.8/mserv1:5001',
    'a b:1',
  ]) {
    it(`are refused with the expected form when they are ${JSON.stringify(bad)}`, () => {
      expect(() => parseAddresses(bad)).to.throw(BadAddressError, 'host:port');
    });
  }

  it('are parsed or refused with a BadAddressError for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        try {
          for (const source of parseAddresses(text)) expect(source.kind).to.be.oneOf(['fixed', 'dns']);
        } catch (error) {
          expect(error).to.be.instanceOf(BadAddressError);
        }
      }),
    );
  });

  it('are parsed from a joined IP address and port', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65_535 }), (ip, port) => {
        const address = joinAddress(ip, port);
        expect(parseAddresses(address)).to.deep.equal([{ kind: 'fixed', address }]);
      }),
    );
  });
});
