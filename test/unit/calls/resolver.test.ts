import { expect } from 'chai';
import { pino } from 'pino';
import { parseAddresses } from '../../../gateway/calls/addresses.ts';
import { createResolver, type Lookup, type Resolved } from '../../../gateway/calls/resolver.ts';

const log = pino({ level: 'silent' });

/** Runs a resolver over these answers of a name server, one after another, and returns the addresses it reported. */
async function run(
  text: string,
  ...answers: (string[] | Error)[]
): Promise<readonly (readonly Resolved[])[]> {
  const reported: (readonly Resolved[])[] = [];
  const done = Promise.withResolvers<void>();
  const lookup: Lookup = async () => {
    const answer = answers.shift();
    if (answer === undefined) {
      done.resolve();
      return [];
    }
    if (answer instanceof Error) throw answer;
    return answer.map((address) => ({ address }));
  };
  const resolver = createResolver({
    sources: parseAddresses(text),
    intervalMs: 1,
    log,
    onChange: (addresses) => reported.push(addresses),
    lookup,
  });
  await resolver.start();
  if (text.includes('dns:')) await done.promise;
  resolver.stop();
  return reported;
}

const named = (address: string): Resolved => ({ address, authority: 'mserv1:5001' });

describe('the resolver', () => {
  it('reports fixed addresses unchanged and at once', async () => {
    expect(await run('a:1,[::1]:2')).to.deep.equal([[{ address: 'a:1' }, { address: '[::1]:2' }]]);
  });

  it('reports the A and AAAA addresses of a name, with the name as authority', async () => {
    const reported = await run('dns:///mserv1:5001', ['10.0.0.1', 'fd00::1'], ['10.0.0.2']);
    expect(reported).to.deep.equal([
      [],
      [named('10.0.0.1:5001'), named('[fd00::1]:5001')],
      [named('10.0.0.2:5001')],
    ]);
  });

  it('keeps the last addresses of a name when a lookup fails', async () => {
    const reported = await run('dns:///mserv1:5001', ['10.0.0.1'], new Error('EAI_AGAIN'), ['10.0.0.1']);
    expect(reported).to.deep.equal([[], [named('10.0.0.1:5001')], [named('10.0.0.1:5001')]]);
  });

  it('starts with the fixed addresses when a name cannot be resolved', async () => {
    expect(await run('dns:///mserv1:5001,b:2', new Error('ENOTFOUND'))).to.deep.equal([[{ address: 'b:2' }]]);
  });
});
