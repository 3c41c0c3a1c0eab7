import { type CommandName, type CommandPayloads } from '../../../contracts/commands.js';
import { type Order } from '../../../contracts/orders.js';

/** What a device last said of its own clock. Times are on the database clock. */
export interface UptimeReport {
  boot: string;
  /** Milliseconds since the device started, when it sent the report. */
  uptimeMs: number;
  /** When we took the report in. */
  reportedAt: Date;
}

/** Everything an order is made of. */
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
 * A device's clock may run this much slower than ours (crystals: 0.01 %, cheap RC oscillators: 1 %) and still keep
 * the deadline; a faster one only keeps it earlier.
 */
const CLOCK_TOLERANCE = 0.01;

/**
 * `deadline` on the device's own uptime.
 *
 * The report was sent before we took it in, so at `reportedAt` the device had been up for at least `uptimeMs`. Counting
 * on from there as if no time had passed on the way gives an uptime that the device reaches *before* the deadline:
 * every delay, of the report or of the order, shortens the time to act and never prolongs it.
 */
export function deadlineOnUptime(clock: UptimeReport, deadline: Date): number {
  const remainingMs = deadline.getTime() - clock.reportedAt.getTime();
  return Math.floor(clock.uptimeMs + remainingMs * (1 - CLOCK_TOLERANCE));
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
    expiresAtUptimeMs: deadlineOnUptime(facts.clock, facts.deadline),
    issuedAt: facts.issuedAt.toISOString(),
    expiresAt: facts.deadline.toISOString(),
  };
  return JSON.stringify(order);
}

/** When a command sent at `sentAt` must not be carried out any more: its own end of life, or the end of our patience. */
export function deadlineOf(sentAt: Date, expiresAt: Date, timeoutMs: number): Date {
  return new Date(Math.min(expiresAt.getTime(), sentAt.getTime() + timeoutMs));
}
