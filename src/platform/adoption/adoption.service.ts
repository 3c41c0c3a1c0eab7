import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../audit/audit-writer.js';
import { AdoptionRegistry } from './adoption-registry.js';
import { AdoptionStore } from './adoption-store.js';

/** What an adoption did. */
export interface AdoptionReport {
  /** Of the log, from now on. */
  readonly generation: string;
  /** Rows changed, by the name of the rule, such as `sessions_ended`. */
  readonly changed: Readonly<Record<string, number>>;
}

/**
 * Makes a restored database the one to go on with. Clients and devices have gone on since the backup: what they hold is
 * never taken for something that is made from now on.
 */
@Injectable()
export class AdoptionService {
  constructor(
    private readonly store: AdoptionStore,
    private readonly rules: AdoptionRegistry,
    private readonly audit: AuditWriter,
  ) {}

  /**
   * In one transaction: all of it, or nothing. No process of the application can start before its end.
   * @throws DatabaseInUseError
   */
  adopt(): Promise<AdoptionReport> {
    return this.store.inTransaction(async () => {
      await this.store.excludeProcesses();
      // Before anything is written to the log.
      const added = await this.store.rebasePositions();
      await this.store.raiseIds();
      const generation = await this.store.renewLog();
      const changed = await this.rules.run();
      const after = { generation, positionsAdded: String(added), ...changed };
      await this.audit.record({ action: 'database_adopted', entity: { type: 'database', id: null }, after });
      return { generation, changed };
    });
  }
}
