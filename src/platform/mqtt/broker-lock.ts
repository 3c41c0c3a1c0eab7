import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Database } from '../prisma/database.js';
import { inBackground } from '../process/faults.js';

/** 'mortise embedded broker', as any number: it names the lock within one database. */
const LOCK_ID = '5577006791947779410';
/** A process that was killed a moment ago may still hold it. */
const PATIENCE_MS = 3_000;
const RETRY_MS = 200;

type Session = Awaited<ReturnType<typeof openSession>>;

export class SecondBrokerError extends Error {
  constructor() {
    super(
      'Another hardware process runs the embedded broker for this database: two embedded brokers are two islands. ' +
        'Give every process an external broker with MQTT_URL, or run the hardware role once.',
    );
    this.name = 'SecondBrokerError';
  }
}

/** Sees to it that a database has one embedded broker: a session lock, which ends with the process that holds it. */
@Injectable()
export class BrokerLock {
  #session: Session | undefined;
  #released = false;

  constructor(
    private readonly database: Database,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(BrokerLock.name);
  }

  /** @throws SecondBrokerError when another process holds it for longer than a moment. */
  async acquire(): Promise<void> {
    const giveUpAt = performance.now() + PATIENCE_MS;
    while (!(await this.tryAcquire())) {
      if (performance.now() > giveUpAt) {
        throw new SecondBrokerError();
      }
      await pause(RETRY_MS);
    }
  }

  release(): void {
    this.#released = true;
    // The connection goes back destroyed: that is what ends a session lock for certain.
    this.#session?.release(true);
    this.#session = undefined;
  }

  private async tryAcquire(): Promise<boolean> {
    const session = await openSession(this.database);
    if (!(await locks(session))) {
      session.release();
      return false;
    }
    session.once('error', () => {
      // One that was given back, at the end of the process, may still say that its connection is over.
      if (this.#session === session) {
        this.#session = undefined;
        inBackground(() => this.regain(session));
      }
    });
    this.#session = session;
    return true;
  }

  /** PostgreSQL restarted and the lock went with the connection. */
  private async regain(lost: Session): Promise<void> {
    lost.release(true);
    while (!this.#released && !(await this.tryAcquire().catch(() => false))) {
      this.logger.error('The lock of the embedded broker is lost; is there a second hardware process?');
      await pause(PATIENCE_MS);
    }
    if (this.#released) {
      this.release();
    }
  }
}

/** Whether this session has the lock now. A session that does not answer is given back. */
async function locks(session: Session): Promise<boolean> {
  try {
    const { rows } = await session.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1::bigint) AS locked', [
      LOCK_ID,
    ]);
    return rows[0]?.locked === true;
  } catch (error) {
    session.release(true);
    throw error;
  }
}

async function openSession(database: Database) {
  return database.pool.connect();
}
