import { Injectable } from '@nestjs/common';
import { PurgeRegistry } from '../../platform/scheduling/purge-registry.js';
import { PurgeRunsRepository } from '../../platform/scheduling/purge-runs.repository.js';
import { type PurgeRuleDto, toPurgeRuleDto } from './retention.dto.js';

/** Purge rules, with what the database has of their runs. */
@Injectable()
export class RetentionService {
  constructor(
    private readonly registry: PurgeRegistry,
    private readonly runs: PurgeRunsRepository,
  ) {}

  /** By name. There are as many as the code has. */
  async list(): Promise<Readonly<PurgeRuleDto>[]> {
    const rules = [...this.registry.retentions()].sort((a, b) => a.name.localeCompare(b.name));
    const runs = await this.runs.list(rules.map(({ name }) => name));
    const byRule = new Map(runs.map((run) => [run.rule, run]));
    return rules.flatMap((rule) => {
      const run = byRule.get(rule.name);
      return run ? [toPurgeRuleDto(rule, run)] : [];
    });
  }
}
