import type { Redis } from '../redis/redis-clients.js';

const NOW = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * Reads the version of each tag, and gives a new random one to those that have none and no open mark. \`keys\` holds the keys of marks
 * and version of each, from \`first\` on. An empty text stands for a tag with an open mark.
 */
const VERSIONS = `local function versions(keys, first, fresh, life)
  local found = {}
  for i = first, #keys, 2 do
    local version = redis.call('GET', keys[i + 1])
    if version then
      redis.call('PEXPIRE', keys[i + 1], life)
    elseif redis.call('ZCOUNT', keys[i], '(' .. string.format('%.0f', now), '+inf') == 0 then
      version = fresh
      redis.call('SET', keys[i + 1], version, 'PX', life)
    end
    found[#found + 1] = version or ''
  end
  return found
end`;

/**
 * The entry, if each of its tags still has the version that was read before it was loaded. A mark deletes the version, and none is
 * made while it is open, so there is no need to look at marks. Else the versions of the tags that are known beforehand.
 *
 * A Redis that was wiped has lost marks as well: for as long as one lives, nothing is stored there.
 *
 * keys: the key that a wipe takes away; the entry; marks and version of each tag, the one that all entries have first.
 * args: the prefix of versions; a new version; its life; the life of a mark; the oldest age that will do, or nothing; the ETag that
 * the client has, or nothing. \`now\`: the time of Redis. It is part of the script of the limits: see LookupRegistry.
 */
export const LOOK_UP = `${VERSIONS}
if redis.call('EXISTS', keys[1]) == 0 then
  redis.call('SET', keys[1], string.format('%.0f', now))
  redis.call('ZADD', keys[3], now + args[4], 'new')
  redis.call('PEXPIRE', keys[3], args[4])
  redis.call('DEL', keys[4])
end
local outcome = 'miss'
local entry = redis.call('HMGET', keys[2], 'tags', 'etag', 'at')
if entry[1] then
  local names, expected = {}, {}
  for name, version in string.gmatch(entry[1], '(%S+) (%S+)') do
    names[#names + 1] = args[1] .. name
    expected[#expected + 1] = version
  end
  local current = redis.call('MGET', unpack(names))
  local same = true
  for i = 1, #expected do
    same = same and current[i] == expected[i]
  end
  local age = now - entry[3]
  if not same then
    outcome = 'stale'
    redis.call('UNLINK', keys[2])
  elseif args[5] == '' or age <= tonumber(args[5]) then
    return { 'hit', entry[2], age, entry[2] ~= args[6] and redis.call('HGET', keys[2], 'body') }
  end
end
return { outcome, string.format('%.0f', now), unpack(versions(keys, 3, args[2], args[3])) }`;

/** KEYS: marks and version of each tag. ARGV: a new version; its life. */
const OPEN = `${NOW}
${VERSIONS}
return versions(KEYS, 1, ARGV[1], ARGV[2])`;

/**
 * KEYS: the entry; the entries of its person. ARGV: tags with their versions; ETag; body; since when it is loaded; until when it
 * lives; the life of the list of entries; how many a person may have. The oldest makes room.
 */
const STORE = `${NOW}
local life = ARGV[5] - now
if life <= 0 then
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'tags', ARGV[1], 'etag', ARGV[2], 'body', ARGV[3], 'at', ARGV[4])
redis.call('PEXPIRE', KEYS[1], life)
redis.call('ZADD', KEYS[2], now, KEYS[1])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
local over = redis.call('ZCARD', KEYS[2]) - ARGV[7]
if over > 0 then
  local oldest = redis.call('ZPOPMIN', KEYS[2], over)
  for i = 1, #oldest, 2 do
    redis.call('UNLINK', oldest[i])
  end
end
return 1`;

/** Before COMMIT. KEYS: marks and version of each tag. ARGV: the mark; its life. */
const MARK = `${NOW}
for i = 1, #KEYS, 2 do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
  redis.call('ZADD', KEYS[i], now + ARGV[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[i], ARGV[2])
  redis.call('DEL', KEYS[i + 1])
end
return #KEYS`;

/** After COMMIT: a version that was read meanwhile, from a Redis that had lost the mark, was read too early. KEYS and ARGV as above. */
const RELEASE = `for i = 1, #KEYS, 2 do
  redis.call('ZREM', KEYS[i], ARGV[1])
  redis.call('DEL', KEYS[i + 1])
end
return #KEYS`;

type Call<A extends readonly unknown[], R> = (keys: number, ...args: [...A]) => Promise<R>;
type Words = readonly (string | number | Buffer)[];

/** Redis with our scripts as commands. */
export type CacheScripts = Redis & {
  readonly cacheOpen: Call<Words, string[]>;
  readonly cacheStore: Call<Words, number>;
  readonly cacheMark: Call<Words, number>;
  readonly cacheRelease: Call<Words, number>;
};

export function defineCacheScripts(redis: Redis): CacheScripts {
  const scripts = {
    cacheOpen: OPEN,
    cacheStore: STORE,
    cacheMark: MARK,
    cacheRelease: RELEASE,
  };
  Object.entries(scripts).forEach(([name, lua]) => {
    redis.defineCommand(name, { lua });
  });
  return redis as CacheScripts;
}
