/** Work behind the requests, by name, with what it is told. */
export interface Jobs {
  /** Makes the weekly partitions of the event log ahead of time. */
  make_event_partitions: Record<string, never>;
  /** Forgets idempotency keys that are past their time. */
  purge_idempotency_keys: Record<string, never>;
  /** Forgets mails that were sent, or given up, weeks ago. */
  purge_mails: Record<string, never>;
  /** Forgets tokens that were used, or are past their time. */
  purge_one_time_tokens: Record<string, never>;
  /** Forgets failed logins and counts that no longer slow anybody. */
  purge_login_throttles: Record<string, never>;
  /** Forgets invitations that nobody can accept any more. */
  purge_invitations: Record<string, never>;
  /** Publishes, activates and retires signing keys whose time has come. */
  rotate_signing_keys: Record<string, never>;
  /** Makes one attempt to hand a mail over; the attempts of one mail have numbers, and each is made once. */
  send_mail: { mailId: string; attempt: number };
}
export type JobName = keyof Jobs;

/** `maintenance`: rare, one at a time. `delivery`: slow work outside, several at once. */
export const JOB_QUEUES = ['maintenance', 'delivery'] as const;
export type JobQueueName = (typeof JOB_QUEUES)[number];

interface JobPlan {
  readonly queue: JobQueueName;
  /** How often it runs by itself; null: only when somebody asks for it. */
  readonly everyMs: number | null;
}

export const JOBS = {
  make_event_partitions: { queue: 'maintenance', everyMs: 3_600_000 },
  purge_idempotency_keys: { queue: 'maintenance', everyMs: 3_600_000 },
  purge_mails: { queue: 'maintenance', everyMs: 3_600_000 },
  purge_one_time_tokens: { queue: 'maintenance', everyMs: 3_600_000 },
  purge_login_throttles: { queue: 'maintenance', everyMs: 3_600_000 },
  purge_invitations: { queue: 'maintenance', everyMs: 3_600_000 },
  rotate_signing_keys: { queue: 'maintenance', everyMs: 3_600_000 },
  send_mail: { queue: 'delivery', everyMs: null },
} as const satisfies Record<JobName, JobPlan>;

export const JOB_NAMES = Object.keys(JOBS) as JobName[];
