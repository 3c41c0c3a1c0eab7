import { Redis, type RedisOptions } from 'ioredis';

export interface PromptRedisOptions extends RedisOptions {
  /** A command that has no answer by then is given up. */
  readonly answerWithinMs: number;
}

/**
 * A connection to Redis whose commands are given up in time. `commandTimeout` of ioredis also gives up what has been answered: in a
 * process that was busy for so long, timers come before what the network has brought. Here that is read first. What is asked while
 * the connection is made has until its `socketTimeout`: no request waits for it, and the connection would be lost with it.
 */
export class PromptRedisClient extends Redis {
  readonly #answerWithinMs: number;

  constructor(url: string, { answerWithinMs, ...options }: PromptRedisOptions) {
    super(url, options);
    this.#answerWithinMs = answerWithinMs;
  }

  override sendCommand(...[command, stream]: Parameters<Redis['sendCommand']>): unknown {
    // ioredis takes the timer of a command away when it is answered.
    const sent = command as unknown as { _commandTimeoutTimer?: NodeJS.Timeout };
    if (this.status === 'ready') {
      sent._commandTimeoutTimer ??= setTimeout(() => {
        setImmediate(() => {
          if (!command.isResolved) {
            command.reject(new Error('Command timed out'));
          }
        });
      }, this.#answerWithinMs);
    }
    return super.sendCommand(command, stream);
  }
}
