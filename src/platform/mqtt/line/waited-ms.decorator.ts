import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { MqttContext } from '@nestjs/microservices';

/** Milliseconds for which a message may have waited before this process read it: 0 when it came without delay. */
export const WaitedMs = createParamDecorator(
  (_data: unknown, context: ExecutionContext): number =>
    (context.switchToRpc().getContext<MqttContext>().getPacket() as { waitedMs?: number }).waitedMs ?? 0,
);
