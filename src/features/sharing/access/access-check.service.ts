import { Injectable } from '@nestjs/common';
import type { DevicePermission } from '../../../contracts/devices.js';
import { UsersService } from '../../users/users.service.js';
import { type AccessNeed, permissionOfRole } from '../device-permission.types.js';
import { decideAccess, type DeviceTies, permits, type ShareState, stateOfShare } from '../domain/device-access.js';
import { nextChange } from '../domain/openings.js';
import { SharesRepository } from '../shares/shares.repository.js';
import { MAX_OF_DEVICE, type Share } from '../sharing.types.js';
import { DeviceAccessRepository, type DeviceHolders } from './device-access.repository.js';

/** One thing that gives a person access, or would at another time. */
export interface AccessSource {
  readonly source: 'owner' | 'organization' | 'share';
  readonly permission: DevicePermission;
  readonly state: ShareState;
  readonly shareId: string | null;
}

/** What was decided, and why. */
export interface AccessVerdict {
  readonly allowed: boolean;
  readonly permission: DevicePermission | null;
  readonly sources: readonly AccessSource[];
  /** When the answer may be another one by itself; null: never. */
  readonly nextChangeAt: Date | null;
  readonly at: Date;
}

/** Whom and what a dry run is about. */
export interface AccessQuestion {
  readonly deviceId: string;
  readonly person: { readonly userId: string } | { readonly email: string };
  readonly needs: AccessNeed;
  /** By the shares of the device alone: who asks is not told which address is the owner’s or a member’s. */
  readonly bySharesAlone: boolean;
  /** Null: now. */
  readonly at: Date | null;
}

const NO_TIES: DeviceTies = { owner: false, organizationRole: null, share: null };

interface FoundTies {
  readonly ties: DeviceTies;
  readonly shareId: string | null;
  readonly now: Date;
}

/** What gives access to a device, at a time. */
export interface AccessOverview {
  readonly holders: DeviceHolders;
  readonly shares: readonly Share[];
  readonly at: Date;
}

/** Asks the decision about any person and any time, and says why it comes out as it does. */
@Injectable()
export class AccessCheckService {
  constructor(
    private readonly access: DeviceAccessRepository,
    private readonly shares: SharesRepository,
    private readonly users: UsersService,
  ) {}

  /**
   * Decides without doing anything. An address without an account that the device was shared with is judged as if the invitation
   * had been accepted, so that the answer does not tell whether it was.
   */
  async check({ deviceId, person, needs, bySharesAlone, at: wanted }: AccessQuestion): Promise<AccessVerdict> {
    const { ties, shareId, now } = await (bySharesAlone
      ? this.sharedWith(deviceId, person)
      : this.tiesOf(deviceId, person));
    const at = wanted ?? now;
    const access = decideAccess(ties, at);
    return {
      allowed: access !== null && permits(access, needs),
      permission: access?.permission ?? null,
      sources: sourcesOf(ties, shareId, at),
      nextChangeAt: ties.share && nextChange(ties.share, at),
      at,
    };
  }

  /** Everything that gives access to a device; null when there is no such device. */
  async overview(deviceId: string): Promise<AccessOverview | null> {
    const holders = await this.access.findHolders(deviceId);
    return (
      holders && { holders, shares: await this.shares.list(deviceId, MAX_OF_DEVICE, null), at: await this.shares.now() }
    );
  }

  private async tiesOf(deviceId: string, person: AccessQuestion['person']): Promise<FoundTies> {
    if ('userId' in person) {
      return this.tiesOfAccount(deviceId, person.userId);
    }
    const account = await this.accountOf(person.email);
    const found = await this.tiesOfAccount(deviceId, account);
    // An address is judged by its share, whatever account it has: that one has none is told to no one.
    const share = await this.shares.findByEmail(deviceId, person.email);
    return share ? { ...found, ties: { ...found.ties, share: share.effective }, shareId: share.id } : found;
  }

  /** An address is judged by what was given to it, and not by what its account has by another address. */
  private async sharedWith(deviceId: string, person: AccessQuestion['person']): Promise<FoundTies> {
    if ('userId' in person) {
      const found = await this.tiesOfAccount(deviceId, person.userId);
      return { ...found, ties: { ...NO_TIES, share: found.ties.share } };
    }
    const share = await this.shares.findByEmail(deviceId, person.email);
    return {
      ties: { ...NO_TIES, share: share?.effective ?? null },
      shareId: share?.id ?? null,
      now: await this.shares.now(),
    };
  }

  private async tiesOfAccount(deviceId: string, userId: string | null): Promise<FoundTies> {
    const [found] = userId === null ? [] : await this.access.listTies([{ deviceId, userId }]);
    return found
      ? { ties: found.ties, shareId: found.shareId, now: found.at }
      : { ties: NO_TIES, shareId: null, now: await this.shares.now() };
  }

  private async accountOf(email: string): Promise<string | null> {
    return (await this.users.findUndeletedByIdentifier(email))?.id ?? null;
  }
}

function sourcesOf({ owner, organizationRole, share }: DeviceTies, shareId: string | null, at: Date): AccessSource[] {
  return [
    ...(owner ? [{ source: 'owner', permission: 'admin', state: 'open', shareId: null } as const] : []),
    ...(organizationRole === null
      ? []
      : [
          {
            source: 'organization',
            permission: permissionOfRole(organizationRole),
            state: 'open',
            shareId: null,
          } as const,
        ]),
    ...(share
      ? [{ source: 'share', permission: share.permission, state: stateOfShare(share, at), shareId } as const]
      : []),
  ];
}
