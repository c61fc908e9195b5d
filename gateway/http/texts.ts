/** The languages of texts for users. */
export type Idioma = 'es' | 'en';

/** A text in both languages. `{name}` is a blank; both languages have the same blanks. */
export interface Text {
  readonly es: string;
  readonly en: string;
}

/** The texts of a problem type: its title, and its detail when a problem has none of its own. */
export interface ProblemText {
  readonly title: Text;
  readonly detail: Text;
}

/** The names of a text's blanks: `'{min} a {max}'` has `'min' | 'max'`. */
export type Blanks<Written extends string> = Written extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Blanks<Rest>
  : never;

/** Returns a text in one language, with its blanks filled. */
export function write(
  text: Text,
  idioma: Idioma,
  values: Readonly<Record<string, string | number>> = {},
): string {
  return text[idioma].replace(/\{(\w+)\}/g, (blank, name: string) => String(values[name] ?? blank));
}

/** Why a parameter is refused. */
export const motivos = {
  'parametro-desconocido': { es: 'Este parámetro no existe.', en: 'There is no such parameter.' },
  'parametro-repetido': {
    es: 'Este parámetro solo puede darse una vez.',
    en: 'This parameter may be given only once.',
  },
  'codificacion-no-valida': {
    es: 'La codificación del parámetro no es válida: debe ser UTF-8 escrito con %XX.',
    en: 'The encoding of the parameter is not valid: it must be UTF-8, written with %XX.',
  },
  'demasiado-largo': {
    es: 'No puede ocupar más de {max} bytes.',
    en: 'It must not be longer than {max} bytes.',
  },
  vacio: { es: 'No puede estar vacío.', en: 'It must not be empty.' },
  'valor-no-admitido': { es: 'Debe ser uno de: {admitidos}.', en: 'It must be one of: {admitidos}.' },
  'entero-entre': {
    es: 'Debe ser un número entero entre {min} y {max}.',
    en: 'It must be a whole number between {min} and {max}.',
  },
  'base64-no-valido': { es: 'No es base64 válido.', en: 'It is not valid base64.' },
  'incompatible-con': {
    es: 'No puede darse junto con {otro}.',
    en: 'It cannot be given together with {otro}.',
  },
  'fecha-no-valida': {
    es: 'Debe ser una fecha ISO 8601 que exista, con su zona: 2026-11-20 o 2026-11-20T10:00:00Z.',
    en: 'It must be an existing ISO 8601 date with its zone: 2026-11-20 or 2026-11-20T10:00:00Z.',
  },
  'menor-que': { es: 'No puede ser menor que {otro}.', en: 'It must not be less than {otro}.' },
  'valor-no-valido': { es: 'El valor no es válido.', en: 'The value is not valid.' },
  falta: { es: 'Falta, y es obligatorio.', en: 'It is missing, and it is required.' },
  'json-no-valido': { es: 'No es JSON válido.', en: 'It is not valid JSON.' },
  'utf8-no-valido': { es: 'No es UTF-8 válido.', en: 'It is not valid UTF-8.' },
  'no-es-objeto': { es: 'Debe ser un objeto JSON.', en: 'It must be a JSON object.' },
  'json-demasiado-profundo': {
    es: 'No puede tener más de {max} niveles.',
    en: 'It must not have more than {max} levels.',
  },
  'json-clave-repetida': {
    es: 'Un objeto tiene dos veces el mismo nombre.',
    en: 'An object has the same name twice.',
  },
  'json-clave-reservada': {
    es: 'Un objeto tiene un nombre que no se admite: __proto__.',
    en: 'An object has a reserved name: __proto__.',
  },
} as const satisfies Record<string, Text>;

/** Every problem type. docs/problems.md explains them to clients. */
export const problemas = {
  // Problems of a request, found by the gateway.
  'parametros-no-validos': {
    title: { es: 'Parámetros no válidos', en: 'Invalid parameters' },
    detail: {
      es: 'Hay parámetros que no se pueden aceptar; «errores» dice cuáles y por qué.',
      en: 'Some parameters cannot be accepted; "errores" says which ones and why.',
    },
  },
  'peticion-no-valida': {
    title: { es: 'Petición no válida', en: 'Bad request' },
    detail: {
      es: 'La petición está mal formada. En la dirección, espacios, acentos y símbolos se escriben con %XX.',
      en: 'The request is malformed. In the address, spaces, accents and symbols are written with %XX.',
    },
  },
  'ruta-no-encontrada': {
    title: { es: 'Dirección desconocida', en: 'Unknown address' },
    detail: { es: 'No hay nada en esta dirección.', en: 'There is nothing at this address.' },
  },
  'metodo-no-permitido': {
    title: { es: 'Método no permitido', en: 'Method not allowed' },
    detail: {
      es: 'El método {metodo} no se puede usar aquí; se admiten: {permitidos}.',
      en: 'The method {metodo} cannot be used here; allowed are: {permitidos}.',
    },
  },
  'metodo-desconocido': {
    title: { es: 'Método desconocido', en: 'Unknown method' },
    detail: {
      es: 'Este servidor no conoce el método {metodo}.',
      en: 'This server does not know the method {metodo}.',
    },
  },
  'no-aceptable': {
    title: { es: 'Formato no disponible', en: 'Not acceptable' },
    detail: {
      es: 'La cabecera Accept no admite ninguno de los formatos disponibles: {tipos}.',
      en: 'The Accept header excludes every available format: {tipos}.',
    },
  },
  'peticion-lenta': {
    title: { es: 'La petición tardó demasiado en llegar', en: 'Request timeout' },
    detail: {
      es: 'La petición no llegó entera a tiempo.',
      en: 'The request did not arrive completely in time.',
    },
  },
  'cuerpo-demasiado-grande': {
    title: { es: 'Cuerpo demasiado grande', en: 'Content too large' },
    detail: {
      es: 'El cuerpo de la petición es demasiado grande.',
      en: 'The body of the request is too large.',
    },
  },
  'cuerpo-no-valido': {
    title: { es: 'Cuerpo no válido', en: 'Invalid body' },
    detail: {
      es: 'El cuerpo de la petición no se puede aceptar; «errores» dice por qué.',
      en: 'The body of the request cannot be accepted; "errores" says why.',
    },
  },
  'tipo-no-admitido': {
    title: { es: 'Tipo de contenido no admitido', en: 'Unsupported media type' },
    detail: {
      es: 'El cuerpo de la petición no es de un tipo admitido.',
      en: 'The body is not of a supported type.',
    },
  },
  'expectativa-no-admitida': {
    title: { es: 'Expectativa no admitida', en: 'Expectation failed' },
    detail: {
      es: 'La petición espera «{expectativa}», y aquí solo se admite «100-continue».',
      en: 'The request expects "{expectativa}", but only "100-continue" is supported.',
    },
  },
  'cabeceras-demasiado-grandes': {
    title: { es: 'Cabeceras demasiado grandes', en: 'Header fields too large' },
    detail: {
      es: 'La dirección y las cabeceras de la petición ocupan demasiado.',
      en: 'The address and the header fields of the request are too large.',
    },
  },
  'host-no-permitido': {
    title: { es: 'Host no permitido', en: 'Misdirected request' },
    detail: {
      es: 'Este servidor no atiende a «{host}». Si es un nombre suyo, añádalo a GATEWAY_ALLOWED_HOSTS.',
      en: 'This server does not serve "{host}". If the name is its own, add it to GATEWAY_ALLOWED_HOSTS.',
    },
  },

  'token-no-valido': {
    title: { es: 'Token no válido', en: 'Invalid token' },
    detail: {
      es: 'El token no es válido, no es para este servidor o ya caducó.',
      en: 'The token is not valid, not meant for this server, or expired.',
    },
  },
  'falta-permiso': {
    title: { es: 'Falta un permiso', en: 'Missing scope' },
    detail: {
      es: 'Para hacer esto hace falta el permiso {permiso}.',
      en: 'The scope {permiso} is needed to do this.',
    },
  },
  'credenciales-no-validas': {
    title: { es: 'Credenciales no válidas', en: 'Invalid credentials' },
    detail: {
      es: 'El usuario o la clave no son correctos.',
      en: 'The user name or the password is not correct.',
    },
  },
  'demasiados-intentos': {
    title: { es: 'Demasiados intentos', en: 'Too many attempts' },
    detail: {
      es: 'Hubo demasiados intentos de entrar. Espere antes de volver a intentarlo.',
      en: 'There were too many attempts to log in. Wait before trying again.',
    },
  },
  'demasiadas-peticiones': {
    title: { es: 'Demasiadas peticiones', en: 'Too many requests' },
    detail: {
      es: 'Ha hecho más peticiones de las permitidas. Vuelva a intentarlo dentro de {segundos} s.',
      en: 'You have made more requests than allowed. Try again in {segundos} s.',
    },
  },
  'direccion-no-permitida': {
    title: { es: 'Dirección de red no permitida', en: 'Network address not allowed' },
    detail: {
      es: 'Desde su dirección de red no se puede usar este servidor.',
      en: 'This server may not be used from your network address.',
    },
  },
  'gateway-saturado': {
    title: { es: 'Servidor saturado', en: 'Server overloaded' },
    detail: {
      es: 'Ya se atienden demasiadas peticiones a la vez. Inténtelo más tarde.',
      en: 'Too many requests are being answered at the same time. Try again later.',
    },
  },
  'uri-demasiado-larga': {
    title: { es: 'Dirección demasiado larga', en: 'Address too long' },
    detail: {
      es: 'La dirección no puede ocupar más de {max} bytes.',
      en: 'The address must not be longer than {max} bytes.',
    },
  },
  'precondicion-no-cumplida': {
    title: { es: 'La precondición no se cumple', en: 'Precondition failed' },
    detail: {
      es: 'La respuesta actual no es la que pide If-Match, o existe y If-None-Match pide que no.',
      en: 'The current answer is not one that If-Match names, or exists although If-None-Match asks that it does not.',
    },
  },
  'identidad-no-disponible': {
    title: { es: 'Identidad no disponible', en: 'Identity unavailable' },
    detail: {
      es: 'No se puede comprobar quién es ahora. Inténtelo más tarde.',
      en: 'Your identity cannot be verified now. Try again later.',
    },
  },
  'origen-no-permitido': {
    title: { es: 'Origen no permitido', en: 'Forbidden origin' },
    detail: {
      es: 'Las páginas de «{origen}» no pueden usar este servidor. Si es un sitio suyo, añádalo a GATEWAY_CORS_ORIGINS.',
      en: 'Pages of "{origen}" may not use this server. If the site is yours, add it to GATEWAY_CORS_ORIGINS.',
    },
  },
  'requiere-websocket': {
    title: { es: 'Requiere WebSocket', en: 'Upgrade required' },
    detail: {
      es: 'En esta dirección solo se habla WebSocket.',
      en: 'This address accepts WebSocket connections only.',
    },
  },
  'mensaje-no-valido': {
    title: { es: 'Mensaje no válido', en: 'Invalid message' },
    detail: {
      es: 'Cada mensaje debe ser un objeto JSON con los parámetros de la consulta.',
      en: 'Each message must be a JSON object with the parameters of the query.',
    },
  },

  // Ends and refusals of a solicitud.
  'solicitud-no-encontrada': {
    title: { es: 'Solicitud no encontrada', en: 'Unknown solicitud' },
    detail: {
      es: 'No hay ninguna solicitud con este identificador, o ya se borró.',
      en: 'There is no solicitud with this id, or it was purged.',
    },
  },
  'solicitud-terminada': {
    title: { es: 'La solicitud ya terminó', en: 'The solicitud is closed' },
    detail: {
      es: 'La solicitud ya está «{estado}» y no puede cancelarse.',
      en: 'The solicitud is already "{estado}" and cannot be cancelled.',
    },
  },
  'solicitud-cancelada': {
    title: { es: 'Solicitud cancelada', en: 'Cancelled solicitud' },
    detail: { es: 'La solicitud fue cancelada.', en: 'The solicitud was cancelled.' },
  },
  'solicitud-fallida': {
    title: { es: 'Solicitud fallida', en: 'Failed solicitud' },
    detail: {
      es: 'La solicitud no pudo procesarse tras varios intentos.',
      en: 'The solicitud could not be processed after several attempts.',
    },
  },
  'solicitud-vencida': {
    title: { es: 'Solicitud vencida', en: 'Expired solicitud' },
    detail: {
      es: 'La solicitud venció antes de ser atendida.',
      en: 'The solicitud expired before it was answered.',
    },
  },
  'solicitud-no-fallida': {
    title: { es: 'La solicitud no ha fallado', en: 'The solicitud has not failed' },
    detail: {
      es: 'Solo se reintenta lo que ha fallado, y la solicitud está «{estado}».',
      en: 'Only a failed solicitud can be retried, and this one is "{estado}".',
    },
  },
  'clave-de-idempotencia-no-valida': {
    title: { es: 'Idempotency-Key no válida', en: 'Invalid Idempotency-Key' },
    detail: {
      es: 'La cabecera Idempotency-Key debe tener entre 1 y 255 caracteres ASCII; con espacios, entre comillas.',
      en: 'The header Idempotency-Key must have 1 to 255 ASCII characters; with spaces, in quotes.',
    },
  },
  'clave-de-idempotencia-reutilizada': {
    title: { es: 'Idempotency-Key ya usada', en: 'Idempotency-Key already used' },
    detail: {
      es: 'Esta clave es de otra petición: la de la solicitud {id}.',
      en: 'This key belongs to another request, the solicitud {id}.',
    },
  },
  'registro-lleno': {
    title: { es: 'No caben más solicitudes', en: 'No room for more solicitudes' },
    detail: {
      es: 'El servicio no responde y no caben más solicitudes en espera. Inténtelo más tarde.',
      en: 'The service does not answer, and no more solicitudes can be queued. Try again later.',
    },
  },
  'registro-no-disponible': {
    title: { es: 'Registro de solicitudes no disponible', en: 'Ledger unavailable' },
    detail: {
      es: 'El registro de solicitudes no está disponible ahora. Inténtelo más tarde.',
      en: 'The ledger of solicitudes is not available now. Try again later.',
    },
  },
  'demasiadas-esperas': {
    title: { es: 'Demasiadas esperas', en: 'Too many waiting clients' },
    detail: {
      es: 'Ya hay demasiados clientes esperando. Pregunte sin esperar, o inténtelo más tarde.',
      en: 'Too many clients are already waiting. Ask without waiting, or try again later.',
    },
  },
  'sin-rabbitmq': {
    title: { es: 'Sin RabbitMQ', en: 'No RabbitMQ' },
    detail: {
      es: 'Este servidor funciona sin RabbitMQ (RABBITMQ_URL está vacía), así que no hay colas que mostrar ni usar.',
      en: 'This server runs without RabbitMQ (RABBITMQ_URL is empty), so there are no queues to show or use.',
    },
  },
  'rabbitmq-no-disponible': {
    title: { es: 'RabbitMQ no disponible', en: 'RabbitMQ unavailable' },
    detail: {
      es: 'No hay conexión con RabbitMQ ahora. Inténtelo más tarde.',
      en: 'There is no connection to RabbitMQ now. Try again later.',
    },
  },
  'rabbitmq-sin-recursos': {
    title: { es: 'RabbitMQ no admite mensajes', en: 'RabbitMQ accepts no messages' },
    detail: {
      es: 'A RabbitMQ le falta memoria o disco y no admite mensajes ahora. Inténtelo más tarde.',
      en: 'RabbitMQ is short of memory or disk and accepts no messages now. Try again later.',
    },
  },
  'cola-no-encontrada': {
    title: { es: 'Cola no encontrada', en: 'Queue not found' },
    detail: { es: 'No existe la cola «{cola}».', en: 'There is no queue "{cola}".' },
  },
  'cola-interna': {
    title: { es: 'Cola interna', en: 'Internal queue' },
    detail: {
      es: 'La cola «{cola}» es del propio sistema: se puede mirar, pero no escribir ni vaciar.',
      en: 'The queue "{cola}" is internal: it can be inspected, but not written to or emptied.',
    },
  },
  'cola-incompatible': {
    title: { es: 'Cola de otra configuración', en: 'Incompatible queue' },
    detail: {
      es: 'La cola «{cola}» la creó otro con otra configuración, o la usa en exclusiva.',
      en: 'The queue "{cola}" was declared by another application with other settings, or is used exclusively.',
    },
  },
  'cola-llena': {
    title: { es: 'Cola llena', en: 'Queue full' },
    detail: {
      es: 'En la cola «{cola}» no caben más mensajes. Inténtelo más tarde.',
      en: 'The queue "{cola}" has no room for more messages. Try again later.',
    },
  },
  'nombre-de-cola-no-valido': {
    title: { es: 'Nombre de cola no válido', en: 'Invalid queue name' },
    detail: {
      es: 'El nombre de una cola tiene letras, cifras y . _ -, empieza por letra o cifra y ocupa hasta {max} bytes.',
      en: 'The name of a queue has letters, digits and . _ -, begins with a letter or digit and has up to {max} bytes.',
    },
  },
  'error-interno': {
    title: { es: 'Error interno', en: 'Internal error' },
    detail: { es: 'Ocurrió un error inesperado.', en: 'An unexpected error occurred.' },
  },

  // Reasons given by mserv1 and mserv2.
  'ruta-no-valida': {
    title: { es: 'Ruta no válida', en: 'Invalid path' },
    detail: {
      es: 'La ruta debe ser relativa a la raíz y no puede salir de ella.',
      en: 'The path must be relative to the root and must not leave it.',
    },
  },
  'ruta-no-existe': {
    title: { es: 'La ruta no existe', en: 'No such path' },
    detail: { es: 'No existe ninguna carpeta en esa ruta.', en: 'There is no folder at that path.' },
  },
  'no-es-carpeta': {
    title: { es: 'No es una carpeta', en: 'Not a folder' },
    detail: {
      es: 'Lo que hay en esa ruta no es una carpeta.',
      en: 'The entry at that path is not a folder.',
    },
  },
  'ruta-sin-permiso': {
    title: { es: 'Carpeta sin permiso de lectura', en: 'Folder not readable' },
    detail: {
      es: 'No hay permiso para leer esa carpeta.',
      en: 'There is no permission to read that folder.',
    },
  },
  'raiz-no-disponible': {
    title: { es: 'Archivos no disponibles', en: 'Files unavailable' },
    detail: { es: 'La carpeta raíz no está disponible ahora.', en: 'The root folder is not available now.' },
  },
  'cursor-no-valido': {
    title: { es: 'Cursor no válido', en: 'Invalid cursor' },
    detail: {
      es: 'El cursor está dañado o es de otra consulta.',
      en: 'The cursor is damaged or belongs to another query.',
    },
  },
  'limite-no-valido': {
    title: { es: 'Límite no válido', en: 'Invalid limit' },
    detail: { es: 'El límite está fuera de lo admitido.', en: 'The limit is out of range.' },
  },
  'patron-no-valido': {
    title: { es: 'Patrón no válido', en: 'Invalid pattern' },
    detail: { es: 'El patrón de búsqueda no es válido.', en: 'The search pattern is not valid.' },
  },
  'patron-demasiado-costoso': {
    title: { es: 'Patrón demasiado costoso', en: 'Pattern too expensive' },
    detail: {
      es: 'El patrón de búsqueda es demasiado grande, o tarda demasiado.',
      en: 'The search pattern is too large, or takes too long.',
    },
  },
  'nombre-demasiado-largo': {
    title: { es: 'Nombre demasiado largo', en: 'Name too long' },
    detail: { es: 'El nombre es demasiado largo.', en: 'The name is too long.' },
  },
  'respuesta-demasiado-grande': {
    title: { es: 'Respuesta demasiado grande', en: 'Answer too large' },
    detail: {
      es: 'La respuesta ocupa más de lo que se puede transportar. Pida menos entradas con «limite».',
      en: 'The answer is larger than can be carried. Ask for fewer entries with «limite».',
    },
  },
  'carpeta-ilegible': {
    title: { es: 'Carpeta ilegible', en: 'Folder unreadable' },
    detail: { es: 'El sistema no pudo leer esa carpeta.', en: 'The system could not read that folder.' },
  },
  'sin-recursos': {
    title: { es: 'Servicio sin recursos', en: 'Service out of resources' },
    detail: {
      es: 'El servicio no tiene recursos libres ahora. Inténtelo más tarde.',
      en: 'The service has no resources left now. Try again later.',
    },
  },

  // Problems that follow from a service's status alone.
  'llamada-cancelada': {
    title: { es: 'Llamada cancelada', en: 'Call cancelled' },
    detail: { es: 'La llamada fue cancelada.', en: 'The call was cancelled.' },
  },
  'error-desconocido': {
    title: { es: 'Error desconocido', en: 'Unknown error' },
    detail: {
      es: 'El servicio respondió con un error desconocido.',
      en: 'The service answered with an unknown error.',
    },
  },
  'argumento-no-valido': {
    title: { es: 'Argumento no válido', en: 'Invalid argument' },
    detail: {
      es: 'El servicio no acepta los datos de la petición.',
      en: 'The service does not accept the request.',
    },
  },
  'plazo-agotado': {
    title: { es: 'Plazo agotado', en: 'Deadline exceeded' },
    detail: { es: 'El servicio no respondió a tiempo.', en: 'The service did not answer in time.' },
  },
  'no-encontrado': {
    title: { es: 'No encontrado', en: 'Not found' },
    detail: { es: 'Lo que se pide no existe.', en: 'The requested resource does not exist.' },
  },
  'ya-existe': {
    title: { es: 'Ya existe', en: 'Already exists' },
    detail: { es: 'Lo que se quiere crear ya existe.', en: 'The resource to create already exists.' },
  },
  'permiso-denegado': {
    title: { es: 'Permiso denegado', en: 'Permission denied' },
    detail: { es: 'No tiene permiso para hacer esto.', en: 'You have no permission to do this.' },
  },
  'recursos-agotados': {
    title: { es: 'Recursos agotados', en: 'Resources exhausted' },
    detail: { es: 'El servicio no admite más trabajo ahora.', en: 'The service accepts no more work now.' },
  },
  'condicion-no-cumplida': {
    title: { es: 'Condición no cumplida', en: 'Failed precondition' },
    detail: { es: 'No se dan las condiciones para hacerlo.', en: 'The conditions for this are not met.' },
  },
  'operacion-abortada': {
    title: { es: 'Operación abortada', en: 'Operation aborted' },
    detail: { es: 'El servicio abandonó la operación.', en: 'The service aborted the operation.' },
  },
  'fuera-de-rango': {
    title: { es: 'Fuera de rango', en: 'Out of range' },
    detail: { es: 'Un valor está fuera de lo admitido.', en: 'A value is out of range.' },
  },
  'no-implementado': {
    title: { es: 'No implementado', en: 'Not implemented' },
    detail: { es: 'El servicio no ofrece esta operación.', en: 'The service does not offer this operation.' },
  },
  'error-del-servicio': {
    title: { es: 'Error del servicio', en: 'Service error' },
    detail: { es: 'El servicio tuvo un error interno.', en: 'The service had an internal error.' },
  },
  'servicio-no-disponible': {
    title: { es: 'Servicio no disponible', en: 'Service unavailable' },
    detail: {
      es: 'El servicio no está disponible ahora. Inténtelo más tarde.',
      en: 'The service is not available now. Try again later.',
    },
  },
  'datos-perdidos': {
    title: { es: 'Datos perdidos', en: 'Data loss' },
    detail: {
      es: 'El servicio perdió datos o los tiene dañados.',
      en: 'The service lost data, or its data is damaged.',
    },
  },
  'sin-autenticar': {
    title: { es: 'Falta la identificación', en: 'Unauthenticated' },
    detail: { es: 'Hay que identificarse para hacer esto.', en: 'This needs authentication.' },
  },
} as const satisfies Record<string, ProblemText>;

/** A problem type: the last part of its URI, `/problemas/<slug>`. */
export type Slug = keyof typeof problemas;
