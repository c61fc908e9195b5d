import type { BadParameter } from './bad-query.ts';
import { statusOf } from './problem-types.ts';
import type { RenderedAnswer } from './rendered-answer.ts';
import { type Blanks, type Idioma, motivos, problemas, type Slug, type Text, write } from './texts.ts';

type Values = Readonly<Record<string, string | number>>;

/** A problem, independent of language. */
export interface Problem {
  readonly slug: Slug;
  readonly status: number;
  /** Values for the blanks of the type's detail. */
  readonly values?: Values | undefined;
  /** Replaces the type's detail, whatever its language. */
  readonly detail?: string | undefined;
  readonly errores?: readonly BadParameter[] | undefined;
  /** Response headers: `allow`, `retry-after`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Further members of the body. */
  readonly members?: Readonly<Record<string, unknown>> | undefined;
}

/** The challenge of a 401 without error code (RFC 6750, section 3). */
export const bearerChallenge = 'Bearer realm="archivero"';

/** Headers that a status must have (RFC 9110, sections 7.8, 15.5.2 and 15.5.22), unless the problem gives its own. */
const requiredHeaders: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { 'www-authenticate': bearerChallenge },
  426: { upgrade: 'websocket', connection: 'upgrade' },
};

type DetailBlanks<S extends Slug> = Blanks<(typeof problemas)[S]['detail']['es']>;
/** The problem types whose detail has no blanks. */
export type PlainSlug = { [S in Slug]: [DetailBlanks<S>] extends [never] ? S : never }[Slug];
type Options<S extends Slug> = Omit<Problem, 'slug' | 'status' | 'values'> & {
  readonly cause?: unknown;
} & ([DetailBlanks<S>] extends [never]
    ? unknown
    : { readonly values: Record<DetailBlanks<S>, string | number> });
type Arguments<S extends Slug> = [DetailBlanks<S>] extends [never]
  ? [options?: Options<S>]
  : [options: Options<S>];

/** Thrown by a route to answer with a problem. Its type requires exactly the values of the text's blanks. */
export class ProblemError<S extends Slug = Slug> extends Error implements Problem {
  override readonly name = 'ProblemError';
  readonly slug: S;
  readonly status: number;
  readonly values: Values | undefined;
  readonly detail: string | undefined;
  readonly errores: readonly BadParameter[] | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly members: Readonly<Record<string, unknown>> | undefined;

  constructor(slug: S, ...[options]: Arguments<S>) {
    const fields: Partial<Problem> & { cause?: unknown } = options ?? {};
    super(slug, { cause: fields.cause });
    this.slug = slug;
    this.status = statusOf[slug];
    this.values = fields.values;
    this.detail = fields.detail;
    this.errores = fields.errores;
    this.headers = fields.headers;
    this.members = fields.members;
  }
}

/**
 * Renders a problem (RFC 9457). Its type is `/problemas/<slug>` under every prefix. Equal input gives equal bytes: the body
 * holds no time, machine or request id.
 */
export function renderProblem(
  problem: Problem,
  { idioma, instance }: { readonly idioma: Idioma; readonly instance: string | undefined },
): RenderedAnswer {
  const text = problemas[problem.slug];
  const body = {
    type: `/problemas/${problem.slug}`,
    title: text.title[idioma],
    status: problem.status,
    detail: problem.detail ?? write(text.detail, idioma, problem.values),
    instance,
    errores: problem.errores?.map(({ parametro, motivo, valores }) => ({
      parametro,
      motivo: write(motivoText(motivo), idioma, valores),
    })),
    ...problem.members,
  };
  return {
    status: problem.status,
    headers: {
      ...requiredHeaders[problem.status],
      ...problem.headers,
      'content-type': 'application/problem+json; charset=utf-8',
      'content-language': idioma,
    },
    body: Buffer.from(JSON.stringify(body)),
  };
}

const reasons: ReadonlyMap<string, Text> = new Map<string, Text>([
  ...Object.entries(problemas).map(([slug, { detail }]): [string, Text] => [slug, detail]),
  ...Object.entries(motivos),
]);

/** Returns the text of a `motivo` or of a service's reason. Another microservice may give unknown ones. */
function motivoText(motivo: string): Text {
  return reasons.get(motivo) ?? motivos['valor-no-valido'];
}
