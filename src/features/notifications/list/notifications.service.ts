import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { IdempotencyService } from '../../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { CREATION_PARTS, decodeCursor, encodeCursor } from '../../../shared/cursor.js';
import { isUuid } from '../../../shared/ids.js';
import { type Page, toPage } from '../../../shared/paging.js';
import { NotificationNotFoundError } from '../notifications.errors.js';
import type { Notification, NotificationDelivery } from '../notifications.types.js';
import { NotificationViewService } from './notification-view.service.js';
import { type NotificationFilter, NotificationsRepository } from './notifications.repository.js';

/** What people were told, as they see it in the app. */
@Injectable()
export class NotificationsService {
  constructor(
    private readonly notifications: NotificationsRepository,
    private readonly view: NotificationViewService,
    private readonly idempotency: IdempotencyService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /** Newest first. @throws InvalidCursorError */
  async list(
    userId: string,
    { limit, cursor, ...filter }: NotificationFilter & { readonly limit: number; readonly cursor?: string },
  ): Promise<Page<Notification>> {
    const after = decodeCursor('notifications', cursor, CREATION_PARTS);
    const page = toPage(
      await this.notifications.list(userId, filter, limit, after),
      limit,
      (notification) => notification,
      ({ createdAt, id }) => encodeCursor('notifications', [createdAt.toISOString(), id]),
    );
    return { ...page, items: await this.view.shown(userId, page.items) };
  }

  countUnread(userId: string): Promise<number> {
    return this.notifications.countUnread(userId);
  }

  /** @throws NotificationNotFoundError */
  update(
    userId: string,
    id: string,
    changes: { readonly read?: boolean | undefined; readonly archived?: boolean | undefined },
  ): Promise<Notification> {
    return this.transactions.run(async () => {
      const updated = isUuid(id) ? await this.notifications.update(userId, id, changes) : null;
      if (!updated) {
        throw new NotificationNotFoundError(id);
      }
      await this.audit.record({ entity: { type: 'notification', id }, after: { ...changes } });
      const [shown] = await this.view.shown(userId, [updated]);
      return shown ?? updated;
    });
  }

  /** All that are unread, or those up to a time. A request that is repeated reads nothing that came since. */
  readAll(userId: string, until: string | null): Promise<void> {
    return this.idempotency.change(userId, async () => {
      const count = await this.notifications.readAll(userId, until);
      await this.audit.record({ entity: { type: 'user', id: userId }, after: { until, count } });
    });
  }

  /** Over which channels it was sent. @throws NotificationNotFoundError */
  async deliveriesOf(userId: string, id: string): Promise<NotificationDelivery[]> {
    const found = isUuid(id) ? await this.notifications.find(userId, id) : null;
    if (!found) {
      throw new NotificationNotFoundError(id);
    }
    return this.notifications.deliveriesOf(found.id);
  }
}
