import { LRUCache } from 'lru-cache';
import { quotaOf, type RateLimitPolicy } from '../../config/rate-limit.js';
import type { Redis } from '../redis/redis-clients.js';
import type { LookupQuestion, LookupReply } from './lookup-registry.js';
import { PARTS, type RateLimitDecision } from './sliding-window.js';

/** Refused keys that are remembered; the one that was asked for least recently is dropped first. */
const CAPACITY = 10_000;
const KEY_PREFIX = 'mortise:rate:';

/**
 * The same window as `SlidingWindow`, in Redis and for all processes, in one step: a hash of requests by part. Beside
 * them are the tokens of a bucket that fills up once per window: they admit a burst when the window is full. A request
 * that used a token is counted, too, so that a burst borrows from the time that follows, and the rate holds in the long
 * run. It answers how much of limit and bucket is used, and in how many milliseconds more is available; more than both
 * is a refusal. With a cost of 0 it only asks.
 */
const SPEND = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function spend(key, cost, quota, window, burst)
  local limit = quota - burst
  local width = window / ${String(PARTS)}
  local current = math.floor(now / width)
  local used, oldest, tokens, since = 0, current, burst, now
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    local name, value = fields[i], tonumber(fields[i + 1])
    if name == 'tokens' then
      tokens = value
    elseif name == 'since' then
      since = value
    elseif tonumber(name) < current - ${String(PARTS)} then
      redis.call('HDEL', key, name)
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
      return quota + 1, reset
    end
    if cost > 0 then
      tokens = tokens - cost
      redis.call('HSET', key, 'tokens', tokens, 'since', now)
    end
  end
  if cost > 0 then
    redis.call('HINCRBY', key, string.format('%.0f', current), cost)
    redis.call('PEXPIRE', key, math.ceil(window + width))
  end
  if tokens < burst then
    reset = math.min(reset, math.ceil((math.floor(tokens) + 1 - tokens) * window / burst))
  end
  return quota - math.max(0, limit - used - cost) - math.floor(tokens), reset
end
`;

/**
 * Counts charges in their order until one is refused, which leaves those after it uncounted. KEYS: one for each charge, then those
 * of the lookup. ARGV: the number of charges; cost, quota, window in milliseconds and bucket of each; then those of the lookup.
 */
const SPEND_ALL = `${SPEND}
local count, answer, refused = tonumber(ARGV[1]), {}, false
for i = 1, count do
  local at = 4 * i - 2
  local quota = tonumber(ARGV[at + 1])
  local used, reset = spend(KEYS[i], tonumber(ARGV[at]), quota, tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]))
  answer[2 * i - 1], answer[2 * i] = used, reset
  if used > quota then
    refused = true
    break
  end
end
`;

/** The command without a lookup. */
const WITHOUT = 'mortiseSpend';
const WITH = 'mortiseSpendAndLookUp';

/** One charge of a request. */
export interface WindowCharge {
  readonly policy: RateLimitPolicy;
  /** Names the window: its category and the caller. */
  readonly key: string;
  /** 0 only asks whether a request would be admitted. */
  readonly cost: 0 | 1;
}

export interface WindowAnswer {
  /** Of the charges in their order, up to the first that is refused. */
  readonly decisions: readonly RateLimitDecision[];
  readonly lookup: LookupReply;
}

/** Redis with the commands that are defined on it: of the answers of charges and lookup, the second may be missing. */
type Spending = Readonly<
  Record<
    `${typeof WITHOUT | typeof WITH}Buffer`,
    (...args: readonly unknown[]) => Promise<[charges: number[], isFound?: number, value?: unknown]>
  >
>;

/**
 * The windows that all processes share in Redis: all charges of a request are one question, and what else it looks up there is
 * part of the same one. A refused key is refused without asking again until something of its limit is available.
 */
export class SharedWindowStore {
  /** Until when each key is refused. */
  readonly #refused = new LRUCache<string, number>({ max: CAPACITY });

  constructor(private readonly redis: Redis) {
    redis.defineCommand(WITHOUT, { lua: `${SPEND_ALL}\nreturn { answer }` });
  }

  /** Joins a lookup with the charges, before anything is asked. @param lua see `RequestLookup` */
  define(lua: string): void {
    this.redis.defineCommand(WITH, { lua: withLookup(lua) });
  }

  /** For how long the key is known to be refused, in milliseconds; 0 when that is not known. */
  refusedMs(key: string, nowMs: number): number {
    return Math.max(0, (this.#refused.get(key) ?? 0) - nowMs);
  }

  /** Rejects when Redis does not answer. */
  async ask(charges: readonly WindowCharge[], nowMs: number, question: LookupQuestion | null): Promise<WindowAnswer> {
    const first = charges.findIndex(({ key }) => this.refusedMs(key, nowMs) > 0);
    const sent = first < 0 ? charges : charges.slice(0, first);
    const [used, lookup] = await this.send(sent, first < 0 ? question : null);
    const decisions = sent
      .slice(0, used.length / 2)
      .map((charge, index) => this.decisionOn(charge, nowMs, used[2 * index] ?? 0, used[2 * index + 1] ?? 0));
    const known = charges[first];
    if (known && decisions.every(({ admitted }) => admitted)) {
      decisions.push({ admitted: false, remaining: 0, resetMs: this.refusedMs(known.key, nowMs) });
    }
    return { decisions, lookup };
  }

  private async send(
    charges: readonly WindowCharge[],
    question: LookupQuestion | null,
  ): Promise<[used: readonly number[], lookup: LookupReply]> {
    if (charges.length === 0 && !question) {
      return [[], { state: 'unanswered' }];
    }
    if (this.redis.status !== 'ready') {
      throw new Error('There is no connection to Redis.');
    }
    const { keys = [], args = [] } = question ?? {};
    const spending = this.redis as unknown as Spending;
    const [used, isFound, value] = await spending[`${question ? WITH : WITHOUT}Buffer`](
      charges.length + keys.length,
      ...charges.map(({ key }) => `${KEY_PREFIX}${key}`),
      ...keys,
      charges.length,
      ...charges.flatMap(({ cost, policy }) => [cost, quotaOf(policy), policy.windowMs, policy.burst]),
      ...args,
    );
    return [used, replyOf(isFound, value)];
  }

  private decisionOn({ key, policy }: WindowCharge, nowMs: number, used: number, resetMs: number): RateLimitDecision {
    const remaining = quotaOf(policy) - used;
    if (remaining >= 0) {
      return { admitted: true, remaining, resetMs };
    }
    this.#refused.set(key, nowMs + resetMs);
    return { admitted: false, remaining: 0, resetMs };
  }
}

/** An error in the lookup is caught in Redis: what was counted stands, and the limits hold. */
function withLookup(lookup: string): string {
  return `${SPEND_ALL}
if refused then
  return { answer }
end
local function lookUp(keys, args)
${lookup}
end
local isFound, found = pcall(lookUp, { unpack(KEYS, count + 1) }, { unpack(ARGV, 4 * count + 2) })
if not isFound then
  return { answer, 0, type(found) == 'table' and found.err or tostring(found) }
end
return { answer, 1, found }`;
}

function replyOf(isFound: number | undefined, value: unknown): LookupReply {
  if (isFound === undefined) {
    return { state: 'unanswered' };
  }
  return isFound === 1 ? { state: 'answered', value: value ?? null } : { state: 'failed', reason: String(value) };
}
