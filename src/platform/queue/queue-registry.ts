import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { createIORedisClient, Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { EndingRedisClient } from '../redis/ending-redis-client.js';
import { OutageLog } from './outage-log.js';
import { QueueConnectionConfig } from './queue-connection-config.js';
import { JOB_QUEUES, type JobQueueName } from './queue-plans.js';

/** BullMQ's queues by their names, over one connection: for those that add jobs, count them, and look at them. */
@Injectable()
export class QueueRegistry implements OnApplicationShutdown {
  /** For what belongs to the queues, and BullMQ does not keep. */
  readonly redis: EndingRedisClient;
  readonly #queues: ReadonlyMap<JobQueueName, Queue>;
  readonly #outage: OutageLog;

  constructor(
    private readonly connection: QueueConnectionConfig,
    logger: PinoLogger,
  ) {
    logger.setContext(QueueRegistry.name);
    this.#outage = new OutageLog(logger);
    const { url, ...options } = connection.options;
    this.redis = new EndingRedisClient(url, { ...options, connectionName: 'mortise:queues' });
    const shared = createIORedisClient(this.redis);
    this.#queues = new Map(JOB_QUEUES.map((name) => [name, new Queue(name, { connection: shared })]));
    for (const queue of this.all()) {
      queue.on('error', (error: Error) => {
        this.#outage.report(error);
      });
    }
    this.redis.on('ready', () => {
      this.#outage.over();
    });
  }

  /** The workers of this process have begun to close by then. */
  async onApplicationShutdown(): Promise<void> {
    this.connection.giveUp();
    await Promise.all(this.all().map((queue) => queue.close()));
    this.redis.disconnect();
  }

  get(name: JobQueueName): Queue {
    const queue = this.#queues.get(name);
    if (!queue) {
      throw new Error(`No queue "${name}".`);
    }
    return queue;
  }

  all(): readonly Queue[] {
    return [...this.#queues.values()];
  }
}
