import {
  boolean,
  brokerUrl,
  type ConfigProblem,
  type Env,
  host,
  isLoopback,
  parseEnv,
  path,
  port,
} from '../env.ts';
import type { Binding } from '../listen-error.ts';
import { type LoggerOptions, logVariables } from '../log.ts';
import { pairProblems, pemFile, type TlsFiles } from '../tls.ts';
import { tracingVariables } from '../tracing/tracing.ts';

/** Configuration of every microservice. A listener or consumer that is undefined is not opened. */
export interface MicroserviceConfig {
  /** Name of the service and of its queues; in capitals, the prefix of its variables: `mserv1`. */
  readonly name: string;
  readonly grpc: Binding | undefined;
  /** Undefined: gRPC is not encrypted. With an authority, callers need a certificate from it. */
  readonly tls: TlsFiles | undefined;
  readonly rabbitmqUrl: string | undefined;
  readonly log: LoggerOptions;
  /** URL of an OTLP/HTTP receiver for traces. */
  readonly tracesTo?: string | undefined;
}

/**
 * Reads the variables of a microservice (`MSERV1_HOST`, `MSERV1_PORT`, `MSERV1_GRPC`) and the shared ones.
 */
export function readMicroserviceConfig(name: string, defaultPort: number, env: Env): MicroserviceConfig {
  const prefix = name.toUpperCase();
  // Prefix of the variables in the original system.
  const original = prefix.replace('MSERV', 'MICSERVER');
  const variables = {
    host: `${prefix}_HOST`,
    port: `${prefix}_PORT`,
    grpc: `${prefix}_GRPC`,
    cert: `${prefix}_TLS_CERT`,
    key: `${prefix}_TLS_KEY`,
    clientCa: `${prefix}_TLS_CLIENT_CA`,
  };
  const values = parseEnv(
    {
      host: host.default('127.0.0.1'),
      port: port.default(defaultPort),
      grpc: boolean.default(true),
      cert: path.optional(),
      key: path.optional(),
      clientCa: path.optional(),
      RABBITMQ_URL: brokerUrl,
      ALLOW_PLAINTEXT: boolean.default(false),
      ...tracingVariables,
      ...logVariables,
    },
    env,
    {
      variables,
      aliases: { host: [`${original}_HOST`], port: [`${original}_PORT`] },
      keepEmpty: ['RABBITMQ_URL'],
      together: (given) => {
        const files = tlsFiles(given, variables);
        const problems: ConfigProblem[] = [
          ...pairProblems(files.cert, files.key, [variables.cert, variables.key]),
        ];
        if (files.ca !== undefined && files.cert === undefined) {
          problems.push({ variable: variables.clientCa, problem: `is set, and ${variables.cert} is not` });
        }
        // Undefined also stands for an invalid URL, which is reported already.
        if (given.grpc === false && 'RABBITMQ_URL' in given && given.RABBITMQ_URL === undefined) {
          problems.push({
            variable: variables.grpc,
            problem: 'off, and RABBITMQ_URL is empty: no request could arrive',
          });
        }
        const plaintext = given.ALLOW_PLAINTEXT === false && files.cert === undefined;
        if (given.grpc && plaintext && given.host && !isLoopback(given.host)) {
          problems.push({
            variable: variables.host,
            problem:
              `"${given.host}" can be reached from other machines, and gRPC is not encrypted; ` +
              `bind 127.0.0.1, set ${variables.cert}, or ALLOW_PLAINTEXT=true in a private network`,
          });
        }
        return problems;
      },
    },
  );

  return Object.freeze({
    name,
    grpc: values.grpc
      ? {
          host: values.host,
          port: values.port,
          hostVariable: variables.host,
          portVariable: variables.port,
        }
      : undefined,
    tls: values.cert === undefined ? undefined : tlsFiles(values, variables),
    rabbitmqUrl: values.RABBITMQ_URL,
    tracesTo: values.OTEL_EXPORTER_OTLP_ENDPOINT,
    log: { name, level: values.LOG_LEVEL, format: values.LOG_FORMAT },
  });
}

function tlsFiles(
  { cert, key, clientCa }: { readonly [Name in 'cert' | 'key' | 'clientCa']?: string | undefined },
  variables: { readonly [Name in 'cert' | 'key' | 'clientCa']: string },
): TlsFiles {
  return {
    cert: pemFile(variables.cert, cert),
    key: pemFile(variables.key, key),
    ca: pemFile(variables.clientCa, clientCa),
  };
}
