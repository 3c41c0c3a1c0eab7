import { Injectable } from '@nestjs/common';
import type { RequestAnswers } from '../../../contracts/realtime.js';
import type { DeviceRef } from '../../../contracts/resources.js';
import { AuditReadWriter } from '../../../platform/audit/audit-read-writer.js';
import { ResourceNotFoundError } from '../../../platform/auth/auth.errors.js';
import { type DashboardSocket, joinRooms, leaveRooms, type Room } from '../../../platform/realtime/sockets.js';
import { MembershipsService } from '../../organizations/memberships.service.js';
import { DeviceAccessService } from '../../sharing/access/device-access.service.js';
import type { DeviceSubscriptionDto } from '../realtime-requests.dto.js';
import { TooManySubscriptionsError } from '../realtime.errors.js';
import { principalOf } from './dashboard-principal.js';
import { DashboardPublisher } from './dashboard-publisher.js';

const MAX_SUBSCRIPTIONS = 500;

/** What a dashboard hears besides the devices of its person. */
@Injectable()
export class SubscriptionsService {
  /** Subscriptions that are being made: each has its place already. */
  readonly #pending = new WeakMap<DashboardSocket, Room[]>();

  constructor(
    private readonly access: DeviceAccessService,
    private readonly memberships: MembershipsService,
    private readonly publisher: DashboardPublisher,
    private readonly reads: AuditReadWriter,
  ) {}

  /**
   * Adds the events of a device that another user owns; those of the user's own devices need no subscription. With a cursor,
   * what the socket has not heard of the device since comes before the answer.
   */
  async subscribe(
    socket: DashboardSocket,
    { deviceId, lastCursor }: DeviceSubscriptionDto,
  ): Promise<RequestAnswers['subscribe_device']> {
    const device = await this.access.resolve(principalOf(socket).userId, deviceId);
    if (!device) {
      throw new ResourceNotFoundError('device');
    }
    const giveBack = this.takePlace(socket, `device:${device.id}`);
    try {
      return await this.follow(socket, device, lastCursor);
    } finally {
      giveBack();
    }
  }

  unsubscribe(socket: DashboardSocket, deviceId: string): void {
    leaveRooms(socket, [`device:${deviceId}`]);
  }

  /** Adds the events of the devices of an organization that the user belongs to since the socket has connected. */
  async joinOrganization(socket: DashboardSocket, organizationId: string): Promise<void> {
    if ((await this.memberships.roleOf(principalOf(socket).userId, organizationId)) === null) {
      throw new ResourceNotFoundError('organization');
    }
    await this.reads.record('organization_watched', { type: 'organization', id: organizationId });
    await this.publisher.reached(socket);
    joinRooms(socket, [`organization:${organizationId}`]);
  }

  /** @returns what gives the place back, when the socket has joined the room or will not. @throws TooManySubscriptionsError */
  private takePlace(socket: DashboardSocket, room: Room): () => void {
    const pending = this.#pending.get(socket) ?? [];
    const taken = new Set<string>([...socket.rooms, ...pending].filter((each) => each.startsWith('device:')));
    if (!taken.has(room) && taken.size >= MAX_SUBSCRIPTIONS) {
      throw new TooManySubscriptionsError(MAX_SUBSCRIPTIONS);
    }
    pending.push(room);
    this.#pending.set(socket, pending);
    return () => {
      pending.splice(pending.indexOf(room), 1);
    };
  }

  private async follow(
    socket: DashboardSocket,
    device: DeviceRef,
    lastCursor: DeviceSubscriptionDto['lastCursor'],
  ): Promise<RequestAnswers['subscribe_device']> {
    if (!device.owned) {
      await this.reads.record('device_watched', { type: 'device', id: device.id });
    }
    if (typeof lastCursor === 'string' && !device.owned && !(await this.isHeard(socket, device.id))) {
      return { cursor: await this.publisher.follow(socket, device.id, lastCursor) };
    }
    const cursor = await this.publisher.reached(socket);
    joinRooms(socket, [`device:${device.id}`]);
    return lastCursor === undefined ? {} : { cursor };
  }

  /** Already: by a subscription, or as a device of an organization that the socket follows. */
  private async isHeard(socket: DashboardSocket, deviceId: string): Promise<boolean> {
    const [seen] = await this.access.visibilityOf([{ userId: principalOf(socket).userId, deviceId }]);
    const organizationId = seen?.organizationId ?? null;
    return (
      socket.rooms.has(`device:${deviceId}`) ||
      (organizationId !== null && socket.rooms.has(`organization:${organizationId}`))
    );
  }
}
