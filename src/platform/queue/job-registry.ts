import { Injectable } from '@nestjs/common';
import { JOB_NAMES, type JobName, type Jobs } from '../../contracts/jobs.js';

export type JobHandler<N extends JobName> = (body: Jobs[N]) => Promise<void>;

/** Who does which job. Each job has exactly one handler: two refuse to register, none refuses to boot. */
@Injectable()
export class JobRegistry {
  readonly #handlers = new Map<JobName, JobHandler<JobName>>();

  register<N extends JobName>(name: N, handler: JobHandler<N>): void {
    if (this.#handlers.has(name)) {
      throw new Error(`The job "${name}" has two handlers.`);
    }
    this.#handlers.set(name, handler as JobHandler<JobName>);
  }

  /** @throws when a job of the contract has nobody to do it. */
  assertComplete(): void {
    const orphans = JOB_NAMES.filter((name) => !this.#handlers.has(name));
    if (orphans.length > 0) {
      throw new Error(`No handler for the job(s): ${orphans.join(', ')}.`);
    }
  }

  /** @throws for a name that nobody knows: a newer release may share the queue while it is rolled out. */
  get(name: JobName): JobHandler<JobName> {
    const handler = this.#handlers.get(name);
    if (!handler) {
      throw new Error(`No handler for the job "${name}".`);
    }
    return handler;
  }
}
