import { z } from 'zod';
import {
  boolean,
  brokerUrl,
  bytes,
  type ConfigProblem,
  count,
  type Env,
  host,
  isLoopback,
  isPath,
  milliseconds,
  parseEnv,
  port,
  schemaOf,
  wordsOf,
} from '../runtime/env.ts';
import { logVariables } from '../runtime/log.ts';
import { tracingVariables } from '../runtime/tracing/tracing.ts';
import { isEncodedUrl } from '../runtime/url-parts.ts';
import { parseAddresses } from './calls/addresses.ts';
import { identityProblems, identityVariables, readIdentityConfig } from './identity/config.ts';
import { limitProblems, limitVariables } from './limits/config.ts';
import type { Service } from './operations/service.ts';
import { tlsOf, tlsProblems, tlsVariables } from './tls-config.ts';

const day = 24 * 60 * 60 * 1000;

/** The location of the ledger. */
export type LedgerUrl =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string };

/** `sqlite:PATH` or `postgres://…`. Error messages do not repeat the text, which may hold a password. */
const ledgerUrl = z
  .string()
  .default('sqlite:data/solicitudes.db')
  .transform((text, context): LedgerUrl => {
    const path = /^sqlite:(.+)$/.exec(text)?.[1];
    if (path !== undefined && isLedgerPath(path)) return { kind: 'sqlite', path };
    if (/^postgres(?:ql)?:\/\//.test(text) && isEncodedUrl(text)) return { kind: 'postgres', url: text };
    const message =
      path === undefined
        ? 'expected sqlite:PATH or postgres://user:password@host:port/database with percent-encoded UTF-8'
        : 'expected a path after sqlite:, and no URL: sqlite:data/x.db in the working directory, or sqlite:/data/x.db';
    context.issues.push({ code: 'custom', message, input: text });
    return z.NEVER;
  });

/**
 * Returns whether the text after `sqlite:` is a path. As one, `//data/x.db`, which other programs read as `data/x.db`,
 * would make a folder at the root; `:memory:` and parameters would be parts of a file's name.
 */
function isLedgerPath(text: string): boolean {
  return isPath(text) && !text.startsWith('//') && !/^:memory:$|\?/.test(text);
}

/** The addresses of a service that the gateway dials: `host:port`, several with commas, or `dns:///name:port`. */
function serviceUrl(fallback: string) {
  return z
    .string()
    .default(fallback)
    .superRefine((text, context) => {
      try {
        parseAddresses(text);
      } catch (err) {
        context.issues.push({ code: 'custom', message: (err as Error).message, input: text });
      }
    });
}

/** Origins as browsers send them: `https://app.example.org`. */
const origins = schemaOf('origins such as https://app.example.org', (text) => {
  const list = wordsOf(text);
  return list.every((word) => URL.parse(word)?.origin === word) ? list : undefined;
});

const expectedManagement = 'expected http(s)://user:password@host:port with percent-encoded UTF-8';

/** The management API's URL. Error messages do not repeat it, because it holds a password. */
const managementUrl = z
  .url({ protocol: /^https?$/, error: expectedManagement })
  .refine(isEncodedUrl, expectedManagement)
  .optional();

/** An ISO 8601 date or time. */
const moment = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], { error: 'expected a date such as 2027-01-31' })
  .transform((text) => new Date(text))
  .optional();

const variables = {
  GATEWAY_HOST: host.default('127.0.0.1'),
  GATEWAY_PORT: port.default(5000),
  GATEWAY_ALLOWED_HOSTS: schemaOf('host names', wordsOf).default([]),
  GATEWAY_CORS_ORIGINS: origins.default([]),
  ALLOW_ANONYMOUS: boolean.default(false),
  ALLOW_PLAINTEXT: boolean.default(false),
  ...identityVariables,
  ...limitVariables,
  ...tlsVariables,
  V1_DEPRECATION: moment,
  V1_SUNSET: moment,
  GRPC_DEADLINE_MS: milliseconds.default(2_000),
  GATEWAY_CACHE_BYTES: bytes.default(64 * 2 ** 20),
  STREAM_STALL_MS: milliseconds.default(120_000),
  RABBITMQ_URL: brokerUrl,
  RABBITMQ_MANAGEMENT_URL: managementUrl,
  LEDGER_URL: ledgerUrl,
  LEDGER_MAX_ROWS: count.default(1_000_000),
  LEDGER_MAX_BYTES: count.default(4 * 2 ** 30),
  SOLICITUD_LIFETIME_MS: milliseconds.default(day),
  ANSWER_RETENTION_MS: milliseconds.default(day),
  MAX_WAITERS: count.default(1_000),
  MAX_EVENT_STREAMS: count.default(1_000),
  ...tracingVariables,
  ...logVariables,
};

export type GatewayConfig = ReturnType<typeof readGatewayConfig>;

/**
 * Reads the gateway's configuration from environment variables; those of the services derive from the registry.
 * `serviceUrls` holds the value of every `<NAME>_URL` by the service's name.
 * @throws ConfigError with every problem at once
 */
export function readGatewayConfig(env: Env, services: readonly Service[]) {
  const urlName = (prefix: string): string => `${prefix.toUpperCase()}_URL`;
  const urls = Object.fromEntries(
    services.map(({ name, defaultUrl }) => [urlName(name), serviceUrl(defaultUrl)]),
  );
  const aliases = Object.fromEntries(
    services.map(({ name, formerPrefix }) => [
      urlName(name),
      formerPrefix === undefined ? [] : [urlName(formerPrefix)],
    ]),
  );
  const config = parseEnv({ ...variables, ...urls }, env, {
    aliases,
    keepEmpty: ['RABBITMQ_URL'],
    together: (given) => [
      ...anonymousProblems(given),
      ...identityProblems(given),
      ...limitProblems(given),
      ...tlsProblems(given),
      ...retirementProblems(given),
    ],
  });
  return Object.freeze({
    ...config,
    identity: readIdentityConfig(config),
    tls: tlsOf(config),
    serviceUrls: new Map(
      services.map(({ name }) => [name, String((config as Record<string, unknown>)[urlName(name)])]),
    ),
  });
}

interface Exposure {
  readonly GATEWAY_HOST?: string | undefined;
  readonly AUTH?: 'none' | 'jwt' | undefined;
  readonly ALLOW_ANONYMOUS?: boolean | undefined;
}

function anonymousProblems({ GATEWAY_HOST: bound, AUTH, ALLOW_ANONYMOUS }: Exposure): ConfigProblem[] {
  if (bound === undefined || AUTH !== 'none' || ALLOW_ANONYMOUS !== false || isLoopback(bound)) return [];
  const problem = `${bound} is not a loopback address, so every client that reaches it could read the files; set AUTH=jwt, or ALLOW_ANONYMOUS=true if that is intended`;
  return [{ variable: 'GATEWAY_HOST', problem }];
}

interface RetirementDates {
  readonly V1_DEPRECATION?: Date | undefined;
  readonly V1_SUNSET?: Date | undefined;
}

/** Returns a problem when /v1 ends before it is deprecated (RFC 9745, section 4). */
function retirementProblems({ V1_DEPRECATION, V1_SUNSET }: RetirementDates): ConfigProblem[] {
  if (V1_DEPRECATION === undefined || V1_SUNSET === undefined || V1_SUNSET >= V1_DEPRECATION) return [];
  return [{ variable: 'V1_SUNSET', problem: 'is before V1_DEPRECATION; expected a later date' }];
}
