import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiagnosticsService } from '../../presence/diagnostics/diagnostics.service.js';
import type { LastAck, LastOrder, RecentOrders } from '../../presence/diagnostics/diagnostics.types.js';
import { CommandsRepository } from '../commands.repository.js';
import type { Command } from '../commands.types.js';

/** Of these the last order and the last ack are found: one that had to wait longer is not the last. */
const RECENT = 100;

/** Tells the diagnostics of a device of its last order and its last ack. */
@Injectable()
export class RecentOrdersService implements OnModuleInit {
  constructor(
    private readonly commands: CommandsRepository,
    private readonly diagnostics: DiagnosticsService,
  ) {}

  onModuleInit(): void {
    this.diagnostics.onReadOrders((deviceId) => this.read(deviceId));
  }

  private async read(deviceId: string): Promise<RecentOrders> {
    const { items: recent } = await this.commands.listPage(deviceId, {}, { limit: RECENT });
    return {
      lastOrder: latest(recent.flatMap(orderOf), ({ sentAt }) => sentAt),
      lastAck: latest(recent.flatMap(ackOf), ({ at }) => at),
    };
  }
}

function orderOf({ id, name, state, attempts, sentAt }: Command): LastOrder[] {
  return sentAt === null ? [] : [{ commandId: id, name, sentAt, attempts, state }];
}

/** A verdict that came too late is an ack as well. */
function ackOf({ id, name, state, receivedAt, lateResult, errorCode, errorMessage }: Command): LastAck[] {
  const at = receivedAt ?? (lateResult && new Date(lateResult.receivedAt));
  return at ? [{ commandId: id, name, at, state, errorCode, errorMessage }] : [];
}

function latest<T>(all: readonly T[], timeOf: (one: T) => Date): T | null {
  return all.reduce<T | null>((found, one) => (found && timeOf(found) >= timeOf(one) ? found : one), null);
}
