import { Injectable } from '@nestjs/common';
import type { JobName, Jobs } from '../../contracts/jobs.js';
import type { JobQueueName } from './queue-plans.js';

export interface JobPlan {
  readonly queue: JobQueueName;
  /** How often it runs by itself; null: only when it is added to the queue. */
  readonly everyMs: number | null;
}

export type JobHandler<N extends JobName> = (body: Jobs[N]) => Promise<void>;

interface Job {
  readonly plan: JobPlan;
  readonly handler: JobHandler<JobName>;
}

/** Every job with its plan and its one handler. Owners register at `onModuleInit`, in the worker role. */
@Injectable()
export class JobRegistry {
  readonly #jobs = new Map<JobName, Job>();

  /** @throws when the job has a handler already. */
  register<N extends JobName>(name: N, plan: JobPlan, handler: JobHandler<N>): void {
    if (this.#jobs.has(name)) {
      throw new Error(`The job "${name}" has two handlers.`);
    }
    this.#jobs.set(name, { plan, handler: handler as JobHandler<JobName> });
  }

  /** Jobs that run by themselves, with their period in milliseconds. */
  repeating(): readonly (readonly [name: JobName, everyMs: number])[] {
    return [...this.#jobs].flatMap(([name, { plan }]) =>
      plan.everyMs === null ? [] : [[name, plan.everyMs] as const],
    );
  }

  /** @throws for an unknown name: a newer release may share the queue while it is rolled out. */
  get(name: JobName): JobHandler<JobName> {
    return this.job(name).handler;
  }

  /** @throws for an unknown name. */
  queueOf(name: JobName): JobQueueName {
    return this.job(name).plan.queue;
  }

  private job(name: JobName): Job {
    const job = this.#jobs.get(name);
    if (!job) {
      throw new Error(`No handler for the job "${name}".`);
    }
    return job;
  }
}
