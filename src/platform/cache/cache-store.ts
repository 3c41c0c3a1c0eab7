import { hash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import { Clock } from '../../shared/clock.js';
import { EventStore } from '../events/event-store.js';
import type { LookupQuestion, LookupReply } from '../rate-limit/lookup-registry.js';
import { RedisClients } from '../redis/redis-clients.js';
import { type CacheScripts, defineCacheScripts } from './cache-scripts.js';

/**
 * How long a mark lives that is not taken away: longer than the transaction of a process that died may still take to commit.
 * PostgreSQL ends one after 12 s (17 and newer), and before that each statement, or wait for one, after 8 s: behind the mark there are
 * at most four statements and COMMIT.
 */
export const MARK_LIFE_MS = 60_000;
/** After Redis failed to answer, it is not asked for so long. */
const PAUSE_MS = 1_000;
/** Every entry has it: a change of more tags than this counts as one of everything. */
export const EVERY_ENTRY = 'everything';
const MAX_MARKED_TAGS = 1_000;
export const MAX_TAGS_PER_ENTRY = 200;
/** With the bytes of one, what an account may take of Redis: 4 MiB. */
export const MAX_ENTRIES_PER_PERSON = 32;
export const MAX_ENTRY_BYTES = 128 * 1_024;
/** For what expires with the longest entry, and must not expire before. */
const MARGIN_MS = 60_000;

/** An answer, and the tags whose versions it was loaded under. */
export interface CacheEntry {
  readonly id: string;
  readonly personId: string;
  readonly tags: readonly string[];
  readonly versions: readonly string[];
  readonly etag: string;
  readonly body: Buffer;
  /** On the clock of Redis, in milliseconds. */
  readonly loadedAt: number;
  readonly expiresAt: number;
}

export type CacheFinding =
  /** Without a body where the client has it. */
  | { readonly outcome: 'hit'; readonly etag: string; readonly ageMs: number; readonly body: Buffer | null }
  /** With the versions to load it under, of the tags that were asked for; empty where a change is under way. */
  | { readonly outcome: 'miss' | 'stale'; readonly loadedAt: number; readonly versions: readonly string[] };

/**
 * Cached answers in Redis, with the versions of their tags. Its keys are those of one run of Redis and one event log: a Redis that
 * was restored, or took over, has none of them, and neither has one beside a database that was restored.
 */
@Injectable()
export class CacheStore {
  readonly #redis: CacheScripts;
  readonly #longestLifeMs: number;
  readonly #seed = randomBytes(12).toString('base64url');
  #versions = 0;
  #prefix: string | null = null;
  #connections = 0;
  #identifying = false;
  #pausedUntilMs = 0;
  #trustedUntilMs = 0;
  #markPausedUntilMs = 0;

  constructor(
    redis: RedisClients,
    private readonly events: EventStore,
    private readonly clock: Clock,
    config: AppConfig,
  ) {
    this.#longestLifeMs = Math.max(...Object.values(config.cacheTtlMs)) + MARGIN_MS;
    this.#redis = defineCacheScripts(redis.app);
    redis.app.on('ready', () => {
      this.identify();
    });
    redis.app.on('close', () => {
      this.#connections++;
      this.#prefix = null;
    });
  }

  /** Whether Redis is there, as far as is known. */
  get isConnected(): boolean {
    return this.#prefix !== null;
  }

  /** How long hits may still be served without another look at what Redis was not told; negative when that is over. */
  get trustedForMs(): number {
    return this.#trustedUntilMs - this.clock.monotonic();
  }

  trustUntil(monotonicMs: number): void {
    this.#trustedUntilMs = monotonicMs;
  }

  /** The id of an entry: `about` says whose it is, and what was asked. */
  idOf(...about: readonly string[]): string {
    return hash('sha256', about.join('\0'), 'base64url');
  }

  /** What to ask Redis for an entry. `tags` are known before the answer is. Null when Redis is away, or must not be believed. */
  questionOf(
    id: string,
    tags: readonly string[],
    { maxAgeMs, etag = '' }: { readonly maxAgeMs?: number | undefined; readonly etag?: string | undefined },
  ): LookupQuestion | null {
    const prefix = this.#prefix;
    if (prefix === null) {
      this.identify();
    }
    return prefix === null || this.trustedForMs <= 0
      ? null
      : {
          keys: [`${prefix}since`, `${prefix}entry:${id}`, ...keysOf(prefix, [EVERY_ENTRY, ...tags])],
          args: [`${prefix}version:`, this.newVersion(), this.#longestLifeMs, MARK_LIFE_MS, maxAgeMs ?? '', etag],
        };
  }

  /** What Redis answered. Null where it did not, or the process stood still meanwhile: then it may have missed a change. */
  findingOf(reply: LookupReply): CacheFinding | null {
    if (reply.state !== 'answered' || this.trustedForMs <= 0) {
      return null;
    }
    const [outcome, first, ...rest] = reply.value as [Buffer, Buffer, ...(Buffer | number | null)[]];
    return outcome.toString() === 'hit'
      ? { outcome: 'hit', etag: first.toString(), ageMs: Number(rest[0]), body: rest[1] as Buffer | null }
      : { outcome: outcome.toString() as 'miss' | 'stale', loadedAt: Number(first), versions: rest.map(String) };
  }

  /** The versions of further tags. Null when Redis does not answer. */
  open(tags: readonly string[]): Promise<readonly string[] | null> {
    return this.ask((prefix) => {
      const keys = keysOf(prefix, tags);
      return this.#redis.cacheOpen(keys.length, ...keys, this.newVersion(), this.#longestLifeMs);
    });
  }

  /** Stores an answer if there is room for it. */
  async store({ id, personId, tags, versions, etag, body, loadedAt, expiresAt }: CacheEntry): Promise<void> {
    if (body.length > MAX_ENTRY_BYTES) {
      return;
    }
    const pairs = tags.map((tag, index) => `${tag} ${versions[index] ?? ''}`).join(' ');
    await this.ask((prefix) => {
      const keys = [`${prefix}entry:${id}`, `${prefix}of:${personId}`];
      const times = [loadedAt, expiresAt, this.#longestLifeMs];
      return this.#redis.cacheStore(2, ...keys, pairs, etag, body, ...times, MAX_ENTRIES_PER_PERSON);
    });
  }

  /** Opens a mark on tags: nothing that has one of them is answered or stored until it is released. @returns null when Redis did not take it */
  async mark(tags: readonly string[]): Promise<string | null> {
    if (this.clock.monotonic() < this.#markPausedUntilMs) {
      return null;
    }
    const mark = this.newVersion();
    const marked = await this.ask((prefix) => {
      const keys = keysOf(prefix, tags);
      return this.#redis.cacheMark(keys.length, ...keys, mark, MARK_LIFE_MS);
    }, false);
    if (marked === null && this.isConnected) {
      this.#markPausedUntilMs = this.clock.monotonic() + PAUSE_MS;
    }
    return marked === null ? null : mark;
  }

  /** Takes a mark away, and with it what was stored meanwhile. @returns whether Redis did so */
  async release(tags: readonly string[], mark: string): Promise<boolean> {
    const released = await this.ask((prefix) => {
      const keys = keysOf(prefix, tags);
      return this.#redis.cacheRelease(keys.length, ...keys, mark);
    }, false);
    return released !== null;
  }

  /** At most as many tags as one change may have by themselves. */
  bounded(tags: Iterable<string>): readonly string[] {
    const all = [...new Set(tags)];
    return all.length > MAX_MARKED_TAGS ? [EVERY_ENTRY] : all;
  }

  /** Never given before, by any process: what was random once need not be for each. */
  private newVersion(): string {
    return this.#seed + (this.#versions++).toString(36);
  }

  /** Null when Redis is away, or does not answer in time. @param pauses whether it is then left alone for a while */
  private async ask<T>(question: (prefix: string) => Promise<T>, pauses = true): Promise<T | null> {
    const prefix = this.#prefix;
    if (prefix === null) {
      this.identify();
      return null;
    }
    if (pauses && this.clock.monotonic() < this.#pausedUntilMs) {
      return null;
    }
    try {
      return await question(prefix);
    } catch {
      if (pauses) {
        this.#pausedUntilMs = this.clock.monotonic() + PAUSE_MS;
      }
      return null;
    }
  }

  /** Where that fails, the next who needs it asks again. */
  private identify(): void {
    if (this.#identifying || this.#prefix !== null || this.#redis.status !== 'ready') {
      return;
    }
    this.#identifying = true;
    const connection = this.#connections;
    Promise.all([this.events.generation(), this.#redis.info('server')])
      .then(([generation, info]) => {
        const run = /^run_id:(\w+)/m.exec(info)?.[1];
        if (run !== undefined && connection === this.#connections) {
          this.#prefix = `mortise:cache:${hash('sha256', `${run} ${generation}`, 'base64url').slice(0, 12)}:`;
        }
      })
      .catch(() => undefined)
      .finally(() => {
        this.#identifying = false;
      });
  }
}

function keysOf(prefix: string, tags: readonly string[]): string[] {
  return tags.flatMap((tag) => [`${prefix}marks:${tag}`, `${prefix}version:${tag}`]);
}
