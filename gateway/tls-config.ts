import { type ConfigProblem, path } from '../runtime/env.ts';
import { pairProblems, pemFile, type TlsFiles } from '../runtime/tls.ts';

export const tlsVariables = {
  GATEWAY_TLS_CERT: path.optional(),
  GATEWAY_TLS_KEY: path.optional(),
  GRPC_TLS_CA: path.optional(),
  GRPC_TLS_CERT: path.optional(),
  GRPC_TLS_KEY: path.optional(),
};

type ParsedValues = { readonly [Name in keyof typeof tlsVariables]?: string | undefined };

/** Returns the certificates that the gateway presents to clients (HTTPS) and to services (mutual TLS). */
export function tlsOf(values: ParsedValues): {
  readonly http: TlsFiles | undefined;
  readonly grpc: TlsFiles | undefined;
} {
  const http = {
    cert: pemFile('GATEWAY_TLS_CERT', values.GATEWAY_TLS_CERT),
    key: pemFile('GATEWAY_TLS_KEY', values.GATEWAY_TLS_KEY),
  };
  const grpc = {
    ca: pemFile('GRPC_TLS_CA', values.GRPC_TLS_CA),
    cert: pemFile('GRPC_TLS_CERT', values.GRPC_TLS_CERT),
    key: pemFile('GRPC_TLS_KEY', values.GRPC_TLS_KEY),
  };
  return { http: http.cert && http, grpc: grpc.ca && grpc };
}

export function tlsProblems(values: ParsedValues): ConfigProblem[] {
  const file = (name: keyof ParsedValues) => pemFile(name, values[name]);
  const problems = [
    ...pairProblems(file('GATEWAY_TLS_CERT'), file('GATEWAY_TLS_KEY'), [
      'GATEWAY_TLS_CERT',
      'GATEWAY_TLS_KEY',
    ]),
    ...pairProblems(file('GRPC_TLS_CERT'), file('GRPC_TLS_KEY'), ['GRPC_TLS_CERT', 'GRPC_TLS_KEY']),
  ];
  if (values.GRPC_TLS_CERT !== undefined && values.GRPC_TLS_CA === undefined) {
    const problem = 'missing, while GRPC_TLS_CERT is set; it authenticates the services';
    problems.push({ variable: 'GRPC_TLS_CA', problem });
  }
  return problems;
}
