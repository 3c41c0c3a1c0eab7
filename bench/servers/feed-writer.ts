/** A worker of Mortise with routes that make people, and events which all of them hear. It serves no dashboards. */
import { Controller, Get, Module, Query } from '@nestjs/common';
import { createApp, listen } from '../../src/apps/bootstrap.js';
import { loadConfig } from '../../src/config/load-config.js';
import { AccessTokenFactory } from '../../src/platform/auth/access-token-factory.js';
import { Public } from '../../src/platform/auth/authorize.decorator.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { Database } from '../../src/platform/prisma/database.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { nowMs } from '../support/monotonic.js';
import { type House, insertHouse } from '../support/people.js';

@Controller('probe')
class ProbeController {
  #events = 0;

  constructor(
    private readonly database: Database,
    private readonly tokens: AccessTokenFactory,
    private readonly log: EventLog,
    private readonly transactions: Transactions,
  ) {}

  @Get('house')
  @Public()
  house(@Query('size') size: string): Promise<House> {
    return insertHouse(
      async <Row extends object>(text: string, values: readonly unknown[]) =>
        (await this.database.pool.query<Row>(text, [...values])).rows,
      (person) => this.tokens.sign(person),
      Number(size),
    );
  }

  /** So many events in one commit, each with a name of its own. */
  @Get('events')
  @Public()
  async events(
    @Query() { deviceId, userId, count }: { deviceId: string; userId: string; count: string },
  ): Promise<{ marks: string[]; sinceMs: number }> {
    const marks = Array.from({ length: Number(count) }, () => `event-${String((this.#events += 1))}`);
    await this.transactions.run(() =>
      this.log.append(
        marks.map((zone) => ({
          type: 'motion_detected',
          payload: { zone },
          source: 'system',
          actor: 'system',
          deviceId,
          userId,
        })),
      ),
    );
    return { marks, sinceMs: nowMs() };
  }
}

@Module({ controllers: [ProbeController] })
class ProbeModule {}

await listen(await createApp(loadConfig(process.env), [ProbeModule]));
