import { type Redis } from 'ioredis';

/** The timer of `socketTimeout` runs on in ioredis when a connection is lost, and it would end the next one. */
export function stopSocketTimerOnClose(client: Redis): void {
  client.on('close', () => {
    const state = client as unknown as { socketTimeoutTimer: NodeJS.Timeout | undefined };
    clearTimeout(state.socketTimeoutTimer);
    state.socketTimeoutTimer = undefined;
  });
}
