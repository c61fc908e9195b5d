import type { JuegosServiceDefinition } from '../../proto/gen/juegos/v1/juegos.ts';
import type { HandlersOf } from '../../runtime/handlers.ts';

const juegos = [
  { titulo: 'Ajedrez', jugadores: 2 },
  { titulo: 'Dominó', jugadores: 4 },
  { titulo: 'Mus', jugadores: 4 },
  { titulo: 'Solitario', jugadores: 1 },
];

/** The service's handlers, for gRPC and the queue alike. */
export const handlers: HandlersOf<typeof JuegosServiceDefinition> = {
  listarJuegos: async ({ jugadores }) => ({ juegos: juegos.filter((juego) => juego.jugadores >= jugadores) }),
};
