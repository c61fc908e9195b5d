import * as z from 'zod';
import type { Operation } from '../../gateway/operations/operation.ts';
import { readStrictly, refuse } from '../../gateway/operations/strict-query.ts';
import {
  JuegosServiceDefinition,
  type ListarJuegosRequest,
  type ListarJuegosResponse,
} from '../../proto/gen/juegos/v1/juegos.ts';
import { methodOf } from '../../runtime/method.ts';

const consulta = z.object({
  jugadores: z
    .string()
    .transform((text, ctx) => (/^[1-9]\d?$/.test(text) ? Number(text) : refuse(ctx, 'valor-no-valido')))
    .default(0),
});

const respuesta = z.strictObject({
  juegos: z.array(z.strictObject({ titulo: z.string(), jugadores: z.int().positive() })),
});

/**
 * `GET /listar_juegos`: lists games for at least `jugadores` players. In a real service:
 * `gateway/operations/listar-juegos.ts`.
 */
export const listarJuegos: Operation<ListarJuegosRequest, ListarJuegosResponse> = {
  name: 'listar_juegos',
  method: methodOf(JuegosServiceDefinition, 'listarJuegos'),
  formatos: ['json'],
  parse: (query) => ({ request: readStrictly(consulta, query, []), formato: undefined }),
  present: ({ juegos }) => ({
    body: { juegos: juegos.map(({ titulo, jugadores }) => ({ titulo, jugadores })) },
    siguiente: undefined,
  }),
  document: {
    summary: 'Lista juegos para al menos tantos jugadores',
    query: consulta,
    answer: respuesta,
    example: { juegos: [{ titulo: 'Mus', jugadores: 4 }] },
  },
};
