import type { FeedMethod } from '../calls/feed.ts';
import type { Operation } from './operation.ts';

/**
 * A microservice behind the gateway. Its name gives its variables (`MSERV1_URL`), its queues (`archivero.mserv1.v1`), its
 * probe in `/salud` and its routes. Adding a microservice means adding an entry to `gateway/services.ts`.
 */
export interface Service {
  /** Lower-case letters and digits. */
  readonly name: string;
  /** The address that the gateway dials when `<NAME>_URL` is not set. */
  readonly defaultUrl: string;
  /** The prefix of its variables in the original system, still accepted. */
  readonly formerPrefix?: string;
  readonly operations: readonly Operation[];
  /** Its change feed, which allows its answers to be cached. */
  readonly feed?: FeedMethod;
}
