import { ApiProperty } from '@nestjs/swagger';
import type { NamedRetention } from '../../platform/scheduling/purge-registry.js';
import { PURGE_STATES, type PurgeRun } from '../../platform/scheduling/purge-runs.repository.js';

/** A purge rule: what it deletes after which time, and how it does, whichever processes run it. */
export class PurgeRuleDto {
  /** @example purge_sessions */
  name!: string;

  /**
   * The tables whose rows it deletes.
   * @example ["sessions"]
   */
  tables!: string[];

  /**
   * How long rows are kept once they are over, in seconds.
   * @example 2592000
   */
  keptForSeconds!: number;

  /**
   * `failed`: its last run did; `stopped`: it has not run well for an hour; `behind`: it has left something that is past its time for a day.
   * @example ok
   */
  @ApiProperty({ enum: PURGE_STATES })
  state!: PurgeRun['state'];

  /**
   * When a run last ended well; null while none has.
   * @example 2026-11-20T18:00:00.000Z
   */
  ranAt!: string | null;

  /**
   * When a run last left nothing that is past its time; null while none has.
   * @example 2026-11-20T18:00:00.000Z
   */
  caughtUpAt!: string | null;

  /** When its last run failed; null where it did not. */
  @ApiProperty({ example: null, format: 'date-time' })
  failedAt!: string | null;

  /**
   * Rows that it deleted since `countedSince`. What the database deletes with a row is not counted with it.
   * @example 48210
   */
  deleted!: number;

  /**
   * Since when they are counted; null while no process has run it.
   * @example 2026-11-01T00:00:00.000Z
   */
  countedSince!: string | null;

  /**
   * Those that are not in the audit trail yet: it tells of a day (UTC) once that is over.
   * @example 130
   */
  unaudited!: number;
}

export class RetentionDto {
  /** One for each rule that the process knows. */
  @ApiProperty({ type: [PurgeRuleDto] })
  rules!: PurgeRuleDto[];
}

export function toPurgeRuleDto({ name, tables, keptMs }: NamedRetention, run: PurgeRun): Readonly<PurgeRuleDto> {
  return {
    name,
    tables: [...tables],
    keptForSeconds: keptMs / 1_000,
    state: run.state,
    ranAt: run.ranAt?.toISOString() ?? null,
    caughtUpAt: run.caughtUpAt?.toISOString() ?? null,
    failedAt: run.failedAt?.toISOString() ?? null,
    deleted: run.deletedTotal,
    countedSince: run.countedSince?.toISOString() ?? null,
    unaudited: run.unaudited,
  };
}
