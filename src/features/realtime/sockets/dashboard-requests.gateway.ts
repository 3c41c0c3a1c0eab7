import { type OnApplicationBootstrap, type OnModuleDestroy, UseInterceptors, UsePipes } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import type { RequestAnswers } from '../../../contracts/realtime.js';
import { validationPipe } from '../../../platform/http/validation/validation.js';
import { SocketAnswerInterceptor } from '../../../platform/realtime/socket-answer.interceptor.js';
import { SocketLimitInterceptor } from '../../../platform/realtime/socket-limit.interceptor.js';
import { SocketPriority } from '../../../platform/realtime/socket-priority.decorator.js';
import type { DashboardServer, DashboardSocket } from '../../../platform/realtime/sockets.js';
import {
  DeviceCommandDto,
  DeviceSubscriptionDto,
  FreshTokenDto,
  NamedDeviceDto,
  NamedOrganizationDto,
} from '../realtime-requests.dto.js';
import { DashboardCommandsService } from './dashboard-commands.service.js';
import { DashboardTokensService } from './dashboard-tokens.service.js';
import { SubscriptionsService } from './subscriptions.service.js';

/** What dashboards may ask for. */
@WebSocketGateway()
@UsePipes(validationPipe())
@UseInterceptors(SocketAnswerInterceptor, SocketLimitInterceptor)
export class DashboardRequestsGateway implements OnApplicationBootstrap, OnModuleDestroy {
  @WebSocketServer() private readonly server!: DashboardServer;

  constructor(
    private readonly subscriptions: SubscriptionsService,
    private readonly commands: DashboardCommandsService,
    private readonly tokens: DashboardTokensService,
  ) {}

  onApplicationBootstrap(): void {
    this.tokens.start(this.server);
  }

  async onModuleDestroy(): Promise<void> {
    await this.tokens.stop();
  }

  @SubscribeMessage('subscribe_device')
  subscribe(
    @ConnectedSocket() socket: DashboardSocket,
    @MessageBody() body: DeviceSubscriptionDto,
  ): Promise<RequestAnswers['subscribe_device']> {
    return this.subscriptions.subscribe(socket, body);
  }

  @SubscribeMessage('unsubscribe_device')
  unsubscribe(@ConnectedSocket() socket: DashboardSocket, @MessageBody() { deviceId }: NamedDeviceDto): void {
    this.subscriptions.unsubscribe(socket, deviceId);
  }

  @SubscribeMessage('join_organization')
  joinOrganization(
    @ConnectedSocket() socket: DashboardSocket,
    @MessageBody() { organizationId }: NamedOrganizationDto,
  ): Promise<void> {
    return this.subscriptions.joinOrganization(socket, organizationId);
  }

  @SubscribeMessage('send_command')
  @SocketPriority('vital')
  sendCommand(
    @ConnectedSocket() socket: DashboardSocket,
    @MessageBody() body: DeviceCommandDto,
  ): Promise<RequestAnswers['send_command']> {
    return this.commands.send(socket, body);
  }

  @SubscribeMessage('request_device_status')
  readDevice(
    @ConnectedSocket() socket: DashboardSocket,
    @MessageBody() { deviceId }: NamedDeviceDto,
  ): Promise<RequestAnswers['request_device_status']> {
    return this.commands.readDevice(socket, deviceId);
  }

  /** As vital as the refresh of the session itself: without it, the connection ends. */
  @SubscribeMessage('refresh_token')
  @SocketPriority('vital')
  refreshToken(
    @ConnectedSocket() socket: DashboardSocket,
    @MessageBody() { token }: FreshTokenDto,
  ): Promise<RequestAnswers['refresh_token']> {
    return this.tokens.refresh(socket, token);
  }
}
