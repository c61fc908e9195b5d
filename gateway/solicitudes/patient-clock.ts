export interface PatientClockOptions {
  /** The wall clock, in milliseconds since 1970. */
  readonly now: () => number;
  readonly monotonic: () => number;
  /** Called once for each jump, with its milliseconds. */
  onJump(ms: number): void;
}

/** A correction up to this is ordinary, such as NTP's. */
const slackMs = 60_000;
/** How long the wall clock must stay ahead until the patient clock follows. */
export const patienceMs = 10 * 60_000;

/**
 * Returns a clock that follows a jump of the wall clock ahead only after ten minutes. Such a jump may be an error that is
 * soon corrected. Or the machine was suspended: then the requests that it holds get their chance to be answered. The clock
 * follows a jump back at once.
 */
export function createPatientClock({ now, monotonic, onJump }: PatientClockOptions): () => number {
  let lead = now() - monotonic();
  let aheadSince: number | undefined;
  return () => {
    const at = monotonic();
    const seen = now() - at;
    if (seen <= lead + slackMs || (aheadSince !== undefined && at - aheadSince >= patienceMs)) {
      lead = seen;
      aheadSince = undefined;
    } else if (aheadSince === undefined) {
      aheadSince = at;
      onJump(Math.round(seen - lead));
    }
    return lead + at;
  };
}
