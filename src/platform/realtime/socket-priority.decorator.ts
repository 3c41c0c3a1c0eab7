import { SetMetadata } from '@nestjs/common';
import type { RequestPriority } from '../context/request-context.js';

export const SOCKET_PRIORITY = Symbol('socket priority');

/** What this request of sockets gives way to while there is too much to do; without it, it gives way as a read. */
export const SocketPriority = (priority: RequestPriority): MethodDecorator => SetMetadata(SOCKET_PRIORITY, priority);
