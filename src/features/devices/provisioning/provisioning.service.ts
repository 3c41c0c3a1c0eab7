import { Injectable } from '@nestjs/common';
import { AuditReader } from '../../../platform/audit/audit-reader.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { ForbiddenError } from '../../../platform/auth/auth.errors.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { requestContext } from '../../../platform/context/request-context.js';
import { randomToken, sha256 } from '../../../platform/crypto/digest.js';
import { IdempotencyService } from '../../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import type { FieldError } from '../../../shared/domain-error.js';
import { newId } from '../../../shared/ids.js';
import { UsersService } from '../../users/users.service.js';
import { hashSecretCode, newSecretCode } from '../credentials/secret-codes.js';
import { hardwareKey } from '../domain/hardware-key.js';
import type { CheckedThing } from './checked-thing.js';
import { IntendedOwnersService } from './intended-owners.service.js';
import { type NewThing, ProvisioningRepository } from './provisioning.repository.js';
import type { ProvisionResult } from './provisioning.types.js';

const TAKEN: [string, FieldError[]] = [
  'hardware_id_taken',
  [{ detail: '`hardwareId` is in the inventory already, loaded before', pointer: '/hardwareId' }],
];

type NewSecrets = NewThing & { readonly line: number; readonly claimCode: string; readonly deviceToken: string };
type StoredThing = NewSecrets & { readonly renewed: boolean };

/** Whether rows that are in the inventory already, without an owner, get new secrets. */
interface ProvisionOptions {
  readonly renew: boolean;
}

/** Loads things into the inventory. What a repeat is answered with is kept in the audit trail, without secrets. */
@Injectable()
export class ProvisioningService {
  constructor(
    private readonly repository: ProvisioningRepository,
    private readonly owners: IntendedOwnersService,
    private readonly users: UsersService,
    private readonly idempotency: IdempotencyService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly auditLog: AuditReader,
  ) {}

  /** @throws ForbiddenError when the account has lost its role meanwhile */
  provision(
    rows: readonly CheckedThing[],
    maker: Principal,
    options: ProvisionOptions,
  ): Promise<readonly ProvisionResult[]> {
    const asked = { rows: rows.map(({ thing, errors }) => thing ?? errors) };
    return this.transactions.run(async () => {
      let results: readonly ProvisionResult[] | undefined;
      const { id } = await this.idempotency.once(async () => {
        results = await this.load(rows, maker, options);
        return this.record(results);
      }, asked);
      return results ?? this.resultsOf(id);
    });
  }

  private async load(
    rows: readonly CheckedThing[],
    { userId }: Principal,
    { renew }: ProvisionOptions,
  ): Promise<readonly ProvisionResult[]> {
    const found = await this.owners.find(rows.flatMap(({ thing }) => thing?.ownerEmail ?? []));
    const accounts = await this.users.lockAll([userId, ...found.values()]);
    const maker = accounts.find(({ id }) => id === userId);
    if (maker?.status !== 'active' || maker.role === 'USER') {
      throw new ForbiddenError('maker');
    }
    const things = firstOfEach(rows);
    const scope = maker.role === 'ADMIN' ? null : userId;
    const ids = await this.repository.insert(userId, things, renew ? scope : undefined);
    const stored = things.flatMap((thing) => storedAs(thing, ids.get(hardwareKey(thing.hardwareId))));
    const acting = new Set(accounts.flatMap(({ id, status }) => (status === 'active' ? [id] : [])));
    const { given, mailed } = await this.owners.handOver(
      userId,
      stored,
      new Map([...found].filter(([, ownerId]) => acting.has(ownerId))),
    );
    return answers(rows, things, { stored: new Map(stored.map((thing) => [thing.line, thing])), given, mailed });
  }

  /** Each thing gets an entry of its own, beside the one of the batch. @returns the id of the batch. */
  private async record(results: readonly ProvisionResult[]): Promise<string> {
    const context = requestContext();
    await this.audit.recordEach(
      results.flatMap(({ deviceId: id, claimed, mailed, renewed }) =>
        id === null
          ? []
          : [
              {
                context,
                record: {
                  action: 'device_provisioned' as const,
                  entity: { type: 'provisioned_device' as const, id },
                  after: { claimed, mailed, renewed },
                },
              },
            ],
      ),
    );
    const batchId = newId();
    const kept = results.map((result) => ({ ...result, claimCode: null, deviceToken: null }));
    await this.audit.record({ entity: { type: 'batch', id: batchId }, after: { results: kept } });
    return batchId;
  }

  private async resultsOf(batchId: string): Promise<readonly ProvisionResult[]> {
    const entry = await this.auditLog.findLast({ type: 'batch', id: batchId });
    const results = (entry?.after?.results ?? []) as readonly ProvisionResult[];
    // Those of an earlier release lack these two.
    return results.map((result) => ({ ...{ hardwareId: null, renewed: false }, ...result }));
  }
}

/** Of rows with one hardware id, the first. */
function firstOfEach(rows: readonly CheckedThing[]): NewSecrets[] {
  const seen = new Set<string>();
  return rows.flatMap(({ line, thing }) => {
    const key = thing && hardwareKey(thing.hardwareId);
    if (!key || seen.has(key)) {
      return [];
    }
    seen.add(key);
    const [claimCode, deviceToken] = [newSecretCode(), randomToken()];
    const hashes = { claimCodeHash: hashSecretCode(claimCode), tokenHash: sha256(deviceToken) };
    return [{ ...thing, id: newId(), line, claimCode, deviceToken, ...hashes }];
  });
}

/** What was renewed has the id that it had. */
function storedAs(thing: NewSecrets, id: string | undefined): StoredThing[] {
  return id === undefined ? [] : [{ ...thing, id, renewed: id !== thing.id }];
}

/** What is said of each row. */
function answers(
  rows: readonly CheckedThing[],
  things: readonly NewSecrets[],
  outcome: {
    /** By line. */
    readonly stored: ReadonlyMap<number, StoredThing>;
    readonly given: ReadonlySet<string>;
    readonly mailed: ReadonlySet<string>;
  },
): ProvisionResult[] {
  const lines = new Map(things.map(({ hardwareId, line }) => [hardwareKey(hardwareId), line]));
  return rows.map(({ line, thing, errors }) => {
    const first = thing ? lines.get(hardwareKey(thing.hardwareId)) : undefined;
    if (!thing || first === undefined) {
      return refused(line, null, 'invalid_row', errors);
    }
    if (first !== line) {
      return refused(line, thing.hardwareId, ...duplicateOf(first));
    }
    const stored = outcome.stored.get(line);
    if (!stored) {
      return refused(line, thing.hardwareId, ...TAKEN);
    }
    const { id: deviceId, hardwareId, claimCode, deviceToken, renewed } = stored;
    const state = { claimed: outcome.given.has(deviceId), mailed: outcome.mailed.has(deviceId), renewed };
    const isSecret = state.claimed || state.mailed;
    return {
      ...{ line, hardwareId, deviceId, claimCode: isSecret ? null : claimCode, deviceToken },
      ...{ ...state, code: null, errors: [] },
    };
  });
}

function duplicateOf(first: number): [string, FieldError[]] {
  const detail = `\`hardwareId\` is that of line ${String(first)}, which counts: its spelling makes no other device of it`;
  return ['duplicate_row', [{ detail, pointer: '/hardwareId' }]];
}

function refused(
  line: number,
  hardwareId: string | null,
  code: string,
  errors: readonly FieldError[],
): ProvisionResult {
  const nothing = { deviceId: null, claimCode: null, deviceToken: null, claimed: false, mailed: false, renewed: false };
  return { line, hardwareId, ...nothing, code, errors };
}
