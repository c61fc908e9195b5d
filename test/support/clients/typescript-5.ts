import { registerHooks } from 'node:module';

// openapi-typescript needs the JavaScript interface of TypeScript, which version 7 does not have. It gets the version 5
// of oazapfts.
const parentURL = import.meta.resolve('oazapfts');
registerHooks({
  resolve: (name, context, next) => next(name, name === 'typescript' ? { ...context, parentURL } : context),
});
