import { BlockList, isIP } from 'node:net';
import { type ConfigProblem, count, milliseconds, oneOf, schemaOf, wordsOf } from '../../runtime/env.ts';
import type { Allowance } from './store.ts';

const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Parses addresses and networks, such as `10.0.0.0/8 2001:db8::/32 192.0.2.7`. */
const networks = schemaOf('networks such as 10.0.0.0/8 or 2001:db8::/32', (text) => {
  const list = new BlockList();
  const words = wordsOf(text);
  for (const word of words) {
    const [address = '', bits] = word.split('/');
    const family = isIP(address);
    const width = family === 6 ? 128 : 32;
    const prefix = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (family === 0 || prefix < 0 || prefix > width) return undefined;
    list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
  }
  return words.length === 0 ? undefined : list;
}).optional();

/** Parses quotas such as `20/1s, 600/1m, 50000/1d`: points per caller and period, sorted by period. */
const allowances = schemaOf(
  'points per period, each period once, such as 20/1s, 600/1m, 50000/1d',
  (text): readonly Allowance[] | undefined => {
    const read = wordsOf(text).flatMap((word): Allowance[] => {
      const [, points, number, unit = ''] = /^([1-9]\d{0,8})\/([1-9]\d{0,3})?([smhd])$/.exec(word) ?? [];
      const length = Number(number ?? 1) * (seconds[unit] ?? 0);
      if (points === undefined || length > 7 * 86_400) return [];
      return [{ name: word.slice(word.indexOf('/') + 1), points: Number(points), seconds: length }];
    });
    const periods = new Set(read.map((each) => each.seconds));
    if (periods.size < wordsOf(text).length) return undefined;
    return read.sort((a, b) => a.seconds - b.seconds);
  },
).default([]);

/** Parses costs per path, such as `/buscar_archivos=2 /salud=5`. Other paths cost 1. */
const costs = schemaOf(
  'paths with points, such as /buscar_archivos=2',
  (text): ReadonlyMap<string, number> | undefined => {
    const read = wordsOf(text).map((word) => /^(\/[^=?#]*)=(\d{1,6})$/.exec(word));
    if (read.includes(null)) return undefined;
    return new Map(read.map((match) => [match?.[1] ?? '', Number(match?.[2])]));
  },
).prefault('/buscar_archivos=2 /salud=5');

export const limitVariables = {
  RATE_LIMITS: allowances,
  RATE_LIMIT_COSTS: costs,
  RATE_LIMIT_STORE: oneOf(['memory', 'postgres']).default('memory'),
  IP_ALLOW: networks,
  IP_DENY: networks,
  TRUSTED_PROXIES: networks,
  MAX_REQUESTS: count.default(10_000),
  // Below the usual limit of open files per process, which leaves descriptors for the services and the ledger.
  MAX_CONNECTIONS: count.default(16_000),
  HEADERS_TIMEOUT_MS: milliseconds.default(10_000),
  REQUEST_TIMEOUT_MS: milliseconds.default(30_000),
  // Longer than the 60 s of most balancers, which otherwise send a request into a connection that is being closed.
  KEEP_ALIVE_MS: milliseconds.default(75_000),
};

interface ParsedValues {
  readonly RATE_LIMIT_STORE?: 'memory' | 'postgres' | undefined;
  readonly LEDGER_URL?: { readonly kind: 'sqlite' | 'postgres' } | undefined;
  readonly HEADERS_TIMEOUT_MS?: number | undefined;
  readonly REQUEST_TIMEOUT_MS?: number | undefined;
}

/** Returns the problems that follow from the combination of variables. */
export function limitProblems(values: ParsedValues): ConfigProblem[] {
  const { RATE_LIMIT_STORE, LEDGER_URL, HEADERS_TIMEOUT_MS: headers, REQUEST_TIMEOUT_MS: request } = values;
  const problems: ConfigProblem[] = [];
  if (RATE_LIMIT_STORE === 'postgres' && LEDGER_URL?.kind === 'sqlite') {
    const problem = 'postgres means the database of LEDGER_URL, which is a file';
    problems.push({ variable: 'RATE_LIMIT_STORE', problem });
  }
  if (headers !== undefined && request !== undefined && headers > request) {
    const problem = `${headers} exceeds REQUEST_TIMEOUT_MS (${request}), which includes the header fields`;
    problems.push({ variable: 'HEADERS_TIMEOUT_MS', problem });
  }
  return problems;
}
