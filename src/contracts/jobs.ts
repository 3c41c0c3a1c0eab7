/** Work behind the requests, by name, with what it is told. */
export interface Jobs {
  /** Makes the weekly partitions of the event log ahead of time. */
  make_event_partitions: Record<string, never>;
  /** Forgets idempotency keys that are past their time. */
  purge_idempotency_keys: Record<string, never>;
}
export type JobName = keyof Jobs;

interface JobPlan {
  /** How often it runs by itself. */
  readonly everyMs: number;
}

export const JOBS = {
  make_event_partitions: { everyMs: 3_600_000 },
  purge_idempotency_keys: { everyMs: 3_600_000 },
} as const satisfies Record<JobName, JobPlan>;

export const JOB_NAMES = Object.keys(JOBS) as JobName[];
