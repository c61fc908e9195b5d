import type { JuegosServiceDefinition } from '../../proto/gen/juegos/v1/juegos.ts';
import type { HandlersOf } from '../../runtime/handlers.ts';

const juegos = [
  { titulo: 'Ajedrez', jugadores: 2 },
  { titulo: 'Dominó', jugadores: 4 },
  { titulo: 'Mus', jugadores: 4 },
  { titulo: 'Solitario', jugadores: 1 },
];

/** What the service does. It knows neither HTTP nor RabbitMQ. */
export const handlers: HandlersOf<typeof JuegosServiceDefinition> = {
  listarJuegos: async ({ jugadores }) => ({ juegos: juegos.filter((juego) => juego.jugadores >= jugadores) }),
};
