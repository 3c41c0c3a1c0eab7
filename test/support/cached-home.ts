import type { Account } from './accounts.fixture.js';
import { CacheKeys, type CacheReader } from './cache.fixture.js';
import { SharingFixture } from './sharing.fixture.js';

/** An application whose cached answers live for times that are no defaults, with what it keeps of them in Redis. */
export class CachedHome {
  private constructor(
    readonly home: SharingFixture,
    readonly keys: CacheKeys,
  ) {}

  static async start(): Promise<CachedHome> {
    const home = await SharingFixture.start({
      CACHE_DEVICES_TTL: '40m',
      CACHE_USERS_TTL: '1s',
      CACHE_ANALYTICS_TTL: '7m',
      CACHE_LIVE_TTL: '0s',
    });
    return new CachedHome(home, CacheKeys.open(home.application.redisUrl));
  }

  readerOf({ accessToken }: Pick<Account, 'accessToken'>): CacheReader {
    return { base: this.home.application.url, accessToken };
  }

  stop(): Promise<void> {
    this.keys.close();
    return this.home.stop();
  }
}
