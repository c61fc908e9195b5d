import * as z from 'zod';
import type { ConfigProblem } from '../runtime/env.ts';
import { pairProblems, pemFile, type TlsFiles } from '../runtime/tls.ts';

const path = z.string().optional();

export const tlsVariables = {
  GATEWAY_TLS_CERT: path,
  GATEWAY_TLS_KEY: path,
  GRPC_TLS_CA: path,
  GRPC_TLS_CERT: path,
  GRPC_TLS_KEY: path,
};

type Given = { readonly [Name in keyof typeof tlsVariables]?: string | undefined };

/** What the gateway shows its clients (HTTPS), and the services (mutual TLS), which it knows by their authority. */
export function tlsOf(given: Given): {
  readonly http: TlsFiles | undefined;
  readonly grpc: TlsFiles | undefined;
} {
  const http = {
    cert: pemFile('GATEWAY_TLS_CERT', given.GATEWAY_TLS_CERT),
    key: pemFile('GATEWAY_TLS_KEY', given.GATEWAY_TLS_KEY),
  };
  const grpc = {
    ca: pemFile('GRPC_TLS_CA', given.GRPC_TLS_CA),
    cert: pemFile('GRPC_TLS_CERT', given.GRPC_TLS_CERT),
    key: pemFile('GRPC_TLS_KEY', given.GRPC_TLS_KEY),
  };
  return { http: http.cert && http, grpc: grpc.ca && grpc };
}

export function tlsProblems(given: Given): ConfigProblem[] {
  const file = (name: keyof Given) => pemFile(name, given[name]);
  const problems = [
    ...pairProblems(file('GATEWAY_TLS_CERT'), file('GATEWAY_TLS_KEY'), [
      'GATEWAY_TLS_CERT',
      'GATEWAY_TLS_KEY',
    ]),
    ...pairProblems(file('GRPC_TLS_CERT'), file('GRPC_TLS_KEY'), ['GRPC_TLS_CERT', 'GRPC_TLS_KEY']),
  ];
  if (given.GRPC_TLS_CERT !== undefined && given.GRPC_TLS_CA === undefined) {
    const problem = 'missing, while GRPC_TLS_CERT is set: by it the services are known';
    problems.push({ variable: 'GRPC_TLS_CA', problem });
  }
  return problems;
}
