import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { AuditAction, AuditEntity } from '../../contracts/audit.js';
import { Clock } from '../../shared/clock.js';
import { requestContext } from '../context/request-context.js';
import { MicroBatcher } from '../batching/micro-batcher.js';
import { networkKey } from '../http/client-address.js';
import { AuditWriter, type RecordInContext } from './audit-writer.js';

/** How long one entry stands for further reads of the same thing: apps poll, and page through what is long. */
export const AUDIT_READ_PERIOD_MS = 15 * 60_000;
/** Reads that are remembered; with more, the one repeated longest ago is recorded again before its time. */
const MAX_REMEMBERED = 20_000;
/** Entries per statement, statements in parallel, and entries that wait: more than there are ever requests. */
const ENTRIES_AT_ONCE = { maxBatch: 200, maxParallel: 2, maxWaiting: 20_000 };

/**
 * Records that a person read what belongs to others: once in a while for each session, network, action and thing, in
 * each process. The entry is committed before the answer leaves, so that what cannot be recorded is not shown. A network is an
 * address of IPv4 or a /64 of IPv6, of which one client may use another address for each request.
 */
@Injectable()
export class AuditReadWriter {
  readonly #recordedAt = new LRUCache<string, number>({ max: MAX_REMEMBERED });

  /** People who come at one moment, such as those whose process was restarted, share a statement. */
  readonly #entries = new MicroBatcher<RecordInContext, undefined>({
    ...ENTRIES_AT_ONCE,
    connectsAs: 'people',
    run: async (entries) => {
      await this.trail.recordEach(entries);
      return entries.map(() => undefined);
    },
  });

  constructor(
    private readonly trail: AuditWriter,
    private readonly clock: Clock,
  ) {}

  async record(action: AuditAction, entity: AuditEntity): Promise<void> {
    const { actor, sessionId, address } = requestContext() ?? {};
    const network = address === undefined ? null : networkKey(address);
    const key = JSON.stringify([actor, sessionId, network, action, entity.type, entity.id]);
    const now = this.clock.monotonic();
    const recordedAt = this.#recordedAt.get(key);
    if (recordedAt === undefined || now - recordedAt >= AUDIT_READ_PERIOD_MS) {
      await this.#entries.submit({ context: requestContext(), record: { action, entity } });
      this.#recordedAt.set(key, now);
    }
  }
}
