import { RateLimiterRedis } from 'rate-limiter-flexible';
import { quotaOf, type RateLimitPolicy } from '../../config/rate-limit.js';
import type { RateCategory } from '../../contracts/rate-limits.js';
import type { Redis } from '../redis/redis-clients.js';
import { PARTS } from './sliding-window.js';

/**
 * The same window as `SlidingWindow`, in Redis and for all processes, in one step: a hash of requests by part. Beside
 * them are the tokens of a bucket that fills up once per window: they admit a burst when the window is full. A request
 * that used a token is counted, too, so that a burst borrows from the time that follows, and the rate holds in the long
 * run.
 *
 * ARGV: cost (0 only asks whether a request would be admitted), (unused), limit and bucket together, window in seconds, size of
 * the bucket. It answers how much of limit and bucket is used, and in how many milliseconds more is available; more than both
 * is a refusal.
 */
const SPEND = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local cost, quota, window, burst = tonumber(ARGV[1]), tonumber(ARGV[3]), ARGV[4] * 1000, tonumber(ARGV[5])
local limit = quota - burst
local width = window / ${String(PARTS)}
local current = math.floor(now / width)
local used, oldest, tokens, since = 0, current, burst, now
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local name, value = fields[i], tonumber(fields[i + 1])
  if name == 'tokens' then
    tokens = value
  elseif name == 'since' then
    since = value
  elseif tonumber(name) < current - ${String(PARTS)} then
    redis.call('HDEL', KEYS[1], name)
  else
    used = used + value
    oldest = math.min(oldest, tonumber(name))
  end
end
tokens = math.min(burst, tokens + math.max(0, now - since) * burst / window)
local reset = math.ceil((oldest + ${String(PARTS + 1)}) * width - now)
if used + math.max(cost, 1) > limit then
  if tokens < 1 then
    if burst > 0 then
      reset = math.min(reset, math.ceil((1 - tokens) * window / burst))
    end
    return { quota + 1, reset }
  end
  if cost > 0 then
    tokens = tokens - cost
    redis.call('HSET', KEYS[1], 'tokens', tokens, 'since', now)
  end
end
if cost > 0 then
  redis.call('HINCRBY', KEYS[1], string.format('%.0f', current), cost)
  redis.call('PEXPIRE', KEYS[1], math.ceil(window + width))
end
if tokens < burst then
  reset = math.min(reset, math.ceil((math.floor(tokens) + 1 - tokens) * window / burst))
end
return { quota - math.max(0, limit - used - cost) - math.floor(tokens), reset }
`;

/** Redis with the one command that the limiter defines on it. */
interface Spending {
  rlflxIncr(args: readonly string[]): Promise<[number, number]>;
}

/** The limit of one category in Redis. A refused key is refused without asking Redis again until something is available. */
export function sharedWindow(redis: Redis, category: RateCategory, policy: RateLimitPolicy): RateLimiterRedis {
  const { windowMs, burst } = policy;
  const quota = quotaOf(policy);
  // The limiter knows nothing of a bucket: its command is given the size on the way.
  const store = {
    get status() {
      return redis.status;
    },
    defineCommand: redis.defineCommand.bind(redis),
    rlflxIncr: (args: readonly string[]) => (redis as unknown as Spending).rlflxIncr([...args, String(burst)]),
  };
  return new RateLimiterRedis({
    storeClient: store,
    keyPrefix: `mortise:rate:${category}`,
    points: quota,
    duration: windowMs / 1_000,
    inMemoryBlockOnConsumed: quota + 1,
    rejectIfRedisNotReady: true,
    customIncrTtlLuaScript: SPEND,
  });
}
