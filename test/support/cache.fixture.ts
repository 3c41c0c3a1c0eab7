import { Redis } from 'ioredis';
import type { CacheCounts } from '../../src/platform/cache/cache-metrics.js';
import { type Answer, request } from './rest.js';
import { eventually } from './wait.js';

const KEYS = 'mortise:cache:*';

/** A person who reads, and through which process. */
export interface CacheReader {
  readonly base: string;
  readonly accessToken: string;
}

/** What `GET /metrics/cache` says of one category. */
export interface CacheFigures extends CacheCounts {
  readonly category: string;
  readonly ttlSeconds: number;
  readonly hitRatio: number | null;
}

/** What it answers. */
export interface CacheReport {
  readonly redis: string;
  readonly trustedForSeconds: number;
  readonly categories: readonly CacheFigures[];
}

/** What the cache keeps in Redis, past the application. */
export class CacheKeys {
  private constructor(private readonly redis: Redis) {}

  static open(url: string): CacheKeys {
    return new CacheKeys(new Redis(url));
  }

  /**
   * Ends the minute in which nothing is stored after a Redis was new or wiped. To be called when no transaction is open any more that
   * began before: that is what the minute waits for.
   */
  async endQuietMinute(): Promise<void> {
    for (const key of await this.redis.keys(`${KEYS}marks:everything`)) {
      await this.redis.zrem(key, 'new');
    }
  }

  /** Takes all entries away: for what a test has written past the application, which hears of it within a second. */
  async forget(): Promise<void> {
    for (const key of await this.redis.keys(`${KEYS}entry:*`)) {
      await this.redis.del(key);
    }
  }

  /** Tags with an open mark. */
  async marked(): Promise<string[]> {
    return (await this.redis.keys(`${KEYS}marks:*`)).map((key) => key.replace(/^.*marks:/, ''));
  }

  /** How many entries of a person there are. */
  async entriesOf(personId: string): Promise<number> {
    const [list = ''] = await this.redis.keys(`${KEYS}of:${personId}`);
    const entries = await this.redis.zrange(list, 0, -1);
    return entries.length === 0 ? 0 : this.redis.exists(...entries);
  }

  /** For how long the newest entry of a person is still kept, in seconds. */
  async lifeOf(personId: string): Promise<number> {
    const [list = ''] = await this.redis.keys(`${KEYS}of:${personId}`);
    const [newest = ''] = await this.redis.zrange(list, -1, -1);
    return (await this.redis.pttl(newest)) / 1_000;
  }

  async wipe(): Promise<void> {
    await this.redis.flushall();
  }

  close(): void {
    this.redis.disconnect();
  }
}

export function read<T = Record<string, unknown>>(
  { base, accessToken: token }: CacheReader,
  path: string,
  headers: Record<string, string> = {},
): Promise<Answer<T>> {
  return request<T>(base, 'GET', `/api/v1${path}`, { token, headers });
}

/** Past the cache. */
export function readUncached<T = Record<string, unknown>>(reader: CacheReader, path: string): Promise<Answer<T>> {
  return read(reader, path, { 'cache-control': 'no-store' });
}

/** Whether an answer came from the cache. */
export function isHit({ headers }: Answer<unknown>): boolean {
  return headers.has('age');
}

/** Reads until the answer comes from the cache: on a busy machine Redis may seem to be away for a moment. */
export function warm<T = Record<string, unknown>>(
  reader: CacheReader,
  path: string,
  keys: CacheKeys,
  headers: Record<string, string> = {},
): Promise<Answer<T>> {
  return eventually(`${path} is cached`, async () => {
    const answer = await read<T>(reader, path, headers);
    if (answer.status !== 200 && answer.status !== 304) {
      throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
    }
    if (isHit(answer)) {
      return answer;
    }
    await keys.endQuietMinute();
    return null;
  });
}
