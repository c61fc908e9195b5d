import { expect } from 'chai';
import { addressKey } from '../../../gateway/limits/address-key.ts';

describe('the quota key of an address', () => {
  it('is the /64 network of an IPv6 address', () => {
    expect(addressKey('2001:db8::1')).to.equal('2001:db8:0:0::/64');
    expect(addressKey('2001:DB8:0:0:ffff::2')).to.equal('2001:db8:0:0::/64');
    expect(addressKey('2001:db8:0:1::2')).to.equal('2001:db8:0:1::/64');
  });

  it('is the whole IPv4 address', () => expect(addressKey('192.0.2.1')).to.equal('192.0.2.1'));
});
