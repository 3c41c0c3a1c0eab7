import { Module } from '@nestjs/common';
import { AuthController } from '../features/auth/auth.controller.js';
import { JwksController } from '../features/auth/jwks.controller.js';
import { CommandsController } from '../features/commands/commands.controller.js';
import { DevicesController } from '../features/devices/devices.controller.js';
import { OrderKeysController } from '../features/devices/order-keys.controller.js';
import { HistoryController } from '../features/history/history.controller.js';
import { RealtimeGateway } from '../features/realtime/realtime.gateway.js';
import { UsersController } from '../features/users/users.controller.js';
import { SocketAnswerInterceptor } from '../platform/realtime/socket-answer.interceptor.js';
import { CoreModule } from './core.module.js';

/** Edges for people: HTTP and dashboards' sockets. */
@Module({
  imports: [CoreModule],
  controllers: [
    AuthController,
    JwksController,
    UsersController,
    DevicesController,
    OrderKeysController,
    CommandsController,
    HistoryController,
  ],
  providers: [RealtimeGateway, SocketAnswerInterceptor],
})
export class ApiModule {}
