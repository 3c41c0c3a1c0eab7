/** Work that was given up, as administrators see it. */
export interface Letter {
  readonly id: string;
  readonly kind: string;
  readonly recipient: string;
  readonly error: string;
  readonly attempts: number;
  readonly failedAt: string;
  readonly replayable: boolean;
}

/** One page of it. */
export interface Letters {
  readonly items: Letter[];
  readonly nextCursor: string | null;
}

/** A queue of jobs, as administrators see it. */
export interface QueueBody {
  readonly name: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly oldestWaitingSeconds: number;
  readonly concurrency: number;
  readonly paused: boolean;
  readonly lastHour: { readonly completed: number; readonly failed: number };
  readonly latency: { readonly jobs: number; readonly tookMs: { readonly p50: number; readonly p95: number } } | null;
}
