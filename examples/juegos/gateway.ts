import type { Operation } from '../../gateway/operations/operation.ts';
import { runGateway } from '../../gateway/run.ts';
import { services } from '../../gateway/services.ts';
import { listarJuegos } from './listar-juegos.ts';

// In a real service this entry is in gateway/services.ts, and gateway/main.ts uses it.
await runGateway([
  ...services,
  { name: 'juegos', defaultUrl: '127.0.0.1:5003', operations: [listarJuegos as Operation] },
]);
