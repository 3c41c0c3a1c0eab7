import { Injectable } from '@nestjs/common';
import type { DevicePermission } from '../../../contracts/devices.js';
import type { Demand, DeviceRef } from '../../../contracts/resources.js';
import { ForbiddenError, ResourceNotFoundError } from '../../../platform/auth/auth.errors.js';
import { MicroBatcher } from '../../../platform/batching/micro-batcher.js';
import type { AccessNeed } from '../device-permission.types.js';
import { DeviceAccessRepository, type OwnedTies } from './device-access.repository.js';
import {
  decideAccess,
  decidePermission,
  type DeviceTies,
  permissionOfOwn,
  permits,
  stateOfShare,
} from '../domain/device-access.js';
import type { OpenShares } from '../sharing.types.js';

/** What a person may do with a device, read inside the transaction that does it. */
export interface DeviceAuthority {
  readonly ownerId: string;
  readonly permission: DevicePermission;
  readonly owned: boolean;
  /** It is the role of a manager in the organization. */
  readonly byRole: boolean;
  /** The share that it comes from; null for the owner and for such managers. */
  readonly givenUnder: string | null;
  readonly at: Date;
}

/** What a user sees of a device. */
export interface Visibility {
  /**
   * What happened before, in milliseconds since 1970, belongs to an earlier owner. Infinity without any permission, or when
   * the device does not exist.
   */
  readonly from: number;
  /** Which organization has the device now. */
  readonly organizationId: string | null;
}

const BY_OWNERSHIP: DeviceTies = { owner: true, organizationRole: null, share: null };
/** Ownership holds at all times. */
const ANY_TIME = new Date(0);
/** Pairs per query, queries in parallel, and pairs that wait: more than there are ever requests. */
const TIES_AT_ONCE = { maxBatch: 200, maxParallel: 4, maxWaiting: 20_000 };

/** What users may do with devices, at the time of the database. */
@Injectable()
export class DeviceAccessService {
  /** Every request about a device needs its ties: those of one moment share a query. */
  readonly #ties = new MicroBatcher<{ deviceId: string; userId: string }, OwnedTies | null>({
    ...TIES_AT_ONCE,
    connectsAs: 'people',
    run: (pairs) => this.repository.listTies(pairs),
  });

  constructor(private readonly repository: DeviceAccessRepository) {}

  /** A device with the permission of a user; null without any permission, or when it does not exist. */
  async resolve(userId: string, deviceId: string): Promise<DeviceRef | null> {
    const found = await this.#ties.submit({ deviceId, userId });
    const access = found && decideAccess(found.ties, found.at);
    return access && { id: deviceId, ownerId: found.ownerId, ...access };
  }

  /** What users see of devices, in the order of the pairs: one statement, however many there are. */
  async visibilityOf(pairs: readonly { userId: string; deviceId: string }[]): Promise<Visibility[]> {
    const found = pairs.length > 0 ? await this.repository.listTies(pairs) : [];
    return found.map((ties) => {
      const maySee = ties !== null && decidePermission(ties.ties, ties.at) !== null;
      return {
        from: maySee ? (ties.visibleFrom?.getTime() ?? 0) : Infinity,
        organizationId: ties?.organizationId ?? null,
      };
    });
  }

  /**
   * What users may do with devices whose owner is known. It is part of the surrounding transaction, and queries only for
   * users who are not the owner. Null for a user id of null, and without any permission.
   */
  async permissionsOf(
    requests: readonly { userId: string | null; deviceId: string; ownerId: string }[],
  ): Promise<(DevicePermission | null)[]> {
    const others = requests.flatMap(({ userId, deviceId, ownerId }) =>
      userId === null || userId === ownerId ? [] : [{ userId, deviceId }],
    );
    const found = others.length > 0 ? await this.repository.listTies(others) : [];
    return requests.map(({ userId, ownerId }) => {
      if (userId === null) {
        return null;
      }
      const { ties = null, at = ANY_TIME } = userId === ownerId ? { ties: BY_OWNERSHIP } : (found.shift() ?? {});
      return ties && decidePermission(ties, at);
    });
  }

  /** The right of a user to give rights on a device: see {@link require}. */
  requireAdmin(userId: string, deviceId: string): Promise<DeviceAuthority> {
    return this.require(userId, deviceId, 'admin');
  }

  /**
   * The right of a user on a device, read again inside the transaction that makes use of it. Lock the device before.
   * @throws ResourceNotFoundError without any permission; ForbiddenError
   */
  async require(userId: string, deviceId: string, need: AccessNeed): Promise<DeviceAuthority> {
    const [found = null] = await this.repository.listTies([{ userId, deviceId }]);
    const access = found && decideAccess(found.ties, found.at);
    if (!access) {
      throw new ResourceNotFoundError('device');
    }
    if (!permits(access, need)) {
      throw new ForbiddenError(`device:${need}` satisfies Demand);
    }
    const { ownerId, at, ties, shareId } = found;
    const { permission, owned } = access;
    const isOfOwn = permissionOfOwn(ties, at) === permission;
    const byRole = !owned && isOfOwn;
    return { ownerId, permission, owned, byRole, givenUnder: isOfOwn ? null : shareId, at };
  }

  /** The devices that are shared with a user and open now: lists ask for them by id. */
  async openShares(userId: string): Promise<OpenShares> {
    const { at, shared } = await this.repository.listShared(userId);
    const open = shared.filter(({ terms }) => stateOfShare(terms, at) === 'open');
    return {
      deviceIds: open.map(({ deviceId }) => deviceId),
      permissions: open.map(({ terms }) => terms.permission),
    };
  }
}
