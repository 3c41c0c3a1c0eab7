import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { Idempotent } from '../../../platform/idempotency/idempotency.interceptor.js';
import { InvalidCursorError } from '../../../shared/cursor.js';
import { NotificationNotFoundError } from '../notifications.errors.js';
import {
  ListNotificationsQueryDto,
  NotificationDeliveriesDto,
  NotificationDto,
  NotificationPageDto,
  ReadNotificationsDto,
  toNotificationDeliveriesDto,
  toNotificationDto,
  toNotificationPageDto,
  UnreadCountDto,
  UpdateNotificationDto,
} from './notifications.dto.js';
import { NotificationsService } from './notifications.service.js';

@ApiTags('Notifications')
@Controller('notifications')
export class NotificationsController {
  constructor(private readonly notifications: NotificationsService) {}

  /** My notifications, newest first. Kept for 90 days. What is added is told live, as `notification`. */
  @Get()
  @Authorize()
  @Refuses(InvalidCursorError)
  async list(
    @CurrentUser() { userId }: Principal,
    @Query() query: ListNotificationsQueryDto,
  ): Promise<NotificationPageDto> {
    return toNotificationPageDto(await this.notifications.list(userId, query));
  }

  /** How many of my notifications are unread, counted up to 10,000. */
  @Get('unread-count')
  @Authorize()
  async countUnread(@CurrentUser() { userId }: Principal): Promise<UnreadCountDto> {
    return { unread: await this.notifications.countUnread(userId) };
  }

  /** Mark all of my notifications as read, or those up to a time: of what is unread, the newest 5,000. */
  @Post('read')
  @Authorize()
  @Audit('notifications_read')
  @Idempotent()
  @HttpCode(204)
  async readAll(@CurrentUser() { userId }: Principal, @Body() { until }: ReadNotificationsDto): Promise<void> {
    await this.notifications.readAll(userId, until ?? null);
  }

  /** Mark a notification as read or unread, or put it into the archive or back. */
  @Patch(':notificationId')
  @Authorize()
  @Audit('notification_updated')
  @Refuses(NotificationNotFoundError)
  async update(
    @CurrentUser() { userId }: Principal,
    @Param('notificationId') id: string,
    @Body() { read, archived }: UpdateNotificationDto,
  ): Promise<NotificationDto> {
    return toNotificationDto(await this.notifications.update(userId, id, { read, archived }));
  }

  /** Over which channels a notification was sent, and what became of it there. */
  @Get(':notificationId/deliveries')
  @Authorize()
  @Refuses(NotificationNotFoundError)
  async deliveries(
    @CurrentUser() { userId }: Principal,
    @Param('notificationId') id: string,
  ): Promise<NotificationDeliveriesDto> {
    return toNotificationDeliveriesDto(await this.notifications.deliveriesOf(userId, id));
  }
}
