import { Redis } from 'ioredis';

/** A connection to Redis that says that it has ended whenever it is told to, for those who wait for that. */
export class EndingRedisClient extends Redis {
  /**
   * In the pause between two attempts to connect, ioredis would drop the next attempt and never say that the connection has
   * ended. Here that attempt is made, and is the last.
   */
  override disconnect(reconnect = false): void {
    if (reconnect || this.status !== 'reconnecting') {
      super.disconnect(reconnect);
      return;
    }
    this.options.retryStrategy = () => null;
    this.once('connect', () => {
      super.disconnect();
    });
  }
}
