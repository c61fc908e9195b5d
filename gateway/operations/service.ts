import type { FeedDefinition } from '../calls/feed.ts';
import type { Operation } from './operation.ts';

/**
 * A microservice behind the gateway. From its name derive its variables (`MSERV1_URL`), its queues
 * (`archivero.mserv1.v1`), its probe in `/salud` and its routes. To add a microservice is to add an entry to `gateway/services.ts`.
 */
export interface Service {
  /** Lower-case letters and digits. */
  readonly name: string;
  /** What the gateway dials when `<NAME>_URL` is not set. */
  readonly defaultUrl: string;
  /** The prefix that its variables had in the original system; still understood. */
  readonly formerPrefix?: string;
  readonly operations: readonly Operation[];
  /** How it tells of changes, so that its answers may be kept. */
  readonly feed?: FeedDefinition;
}
