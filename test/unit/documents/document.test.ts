import { expect } from 'chai';
import { document, KeptDocuments } from '../../../gateway/documents/document.ts';
import { type HttpApp, startHttpApp } from '../../support/clients/http-app.ts';

describe('Kept documents', () => {
  let app: HttpApp;
  let made: string[];
  let fails: boolean;

  beforeEach(async () => {
    made = [];
    fails = false;
    const kept = new KeptDocuments(2);
    app = await startHttpApp((router) => {
      router.get('/:name', (ctx) => {
        const name = ctx.params['name'] ?? '';
        return kept.send(ctx, name, async () => {
          made.push(name);
          await new Promise(setImmediate);
          if (fails) throw new Error('cannot be made');
          return document('text/plain', name);
        });
      });
    });
  });
  afterEach(() => app.stop());

  const get = async (name: string) => {
    const answer = await fetch(`${app.url}/${name}`);
    return answer.ok ? answer.text() : answer.status;
  };

  it('are made once, although several first requests come at the same time', async () => {
    expect(await Promise.all([get('a'), get('a'), get('a')])).to.deep.equal(['a', 'a', 'a']);
    expect(await get('a')).to.equal('a');
    expect(made).to.deep.equal(['a']);
  });

  it('are made again when they could not be made', async () => {
    fails = true;
    expect(await get('a')).to.equal(500);
    fails = false;
    expect(await get('a')).to.equal('a');
  });

  it('make room for others: the least recently requested one goes', async () => {
    for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) expect(await get(name)).to.equal(name);
    expect(made).to.deep.equal(['a', 'b', 'c', 'b']);
  });
});
