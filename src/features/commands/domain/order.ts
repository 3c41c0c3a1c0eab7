import { type CommandName, type CommandPayloads } from '../../../contracts/commands.js';
import { LOCK_CLOCK_TOLERANCE, type Order } from '../../../contracts/orders.js';

/** What is known of a device's own clock. */
export interface UptimeReport {
  boot: string;
  /** Milliseconds for which the device had been up at the least when its last report arrived. */
  uptimeMs: number;
  /** When that was, on the database clock. */
  reportedAt: Date;
}

/** What an order is built from. */
export interface OrderFacts<N extends CommandName = CommandName> {
  commandId: string;
  deviceId: string;
  name: N;
  payload: CommandPayloads[N];
  counter: number;
  issuedAt: Date;
  /** When it must not be carried out any more. */
  deadline: Date;
  clock: UptimeReport;
}

/**
 * The oldest report of a connected device: it is silent for 90 s at most. An older one shows that the database clock was
 * set, and must not make the deadline later.
 */
const OLDEST_REPORT_MS = 120_000;

/**
 * `deadline` on the device's own uptime.
 *
 * The report was sent before it arrived, so at `reportedAt` the device had been up for at least `uptimeMs`. Adding the
 * remaining time as if the report had taken no time gives an uptime that the device reaches *before* the deadline: every
 * delay, of the report or of the order, shortens the time to act and never prolongs it.
 */
export function deadlineOnUptime(clock: UptimeReport, now: Date, deadline: Date): number {
  const reportAgeMs = Math.min(Math.max(now.getTime() - clock.reportedAt.getTime(), 0), OLDEST_REPORT_MS);
  const remainingMs = reportAgeMs + deadline.getTime() - now.getTime();
  return Math.floor(clock.uptimeMs + remainingMs * (1 - LOCK_CLOCK_TOLERANCE));
}

/** An order as the exact text that is signed, sent and sent again. */
export function writeOrder<N extends CommandName>(facts: OrderFacts<N>): string {
  const order: Order<N> = {
    commandId: facts.commandId,
    name: facts.name,
    payload: facts.payload,
    deviceId: facts.deviceId,
    boot: facts.clock.boot,
    counter: facts.counter,
    expiresAtUptimeMs: deadlineOnUptime(facts.clock, facts.issuedAt, facts.deadline),
    issuedAt: facts.issuedAt.toISOString(),
    expiresAt: facts.deadline.toISOString(),
  };
  return JSON.stringify(order);
}

/** When a command sent at `sentAt` must not be carried out any more: the earlier of its expiry and its timeout. */
export function deadlineOf(sentAt: Date, expiresAt: Date, timeoutMs: number): Date {
  return new Date(Math.min(expiresAt.getTime(), sentAt.getTime() + timeoutMs));
}
