import { type ExecutionContext, Injectable } from '@nestjs/common';

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined: nothing was looked up for this request. */
    lookup?: LookupReply;
  }
}

/** What one request looks up in Redis. */
export interface LookupQuestion {
  readonly keys: readonly string[];
  readonly args: readonly (string | number | Buffer)[];
}

/** Something that is looked up in Redis in the same step in which the limits of the request are counted. */
export interface RequestLookup {
  /**
   * The body of a Lua function with the tables `keys`, `args` and the number `now`, milliseconds since the epoch by the clock of
   * Redis. It may compute names of further keys, since Redis is one server. It runs only for a request that no limit refuses,
   * and an error in it refuses none.
   */
  readonly lua: string;
  /** Called for each HTTP request whose caller is authenticated and authorized. Null: nothing is looked up for it. */
  questionOf(context: ExecutionContext): LookupQuestion | null;
}

export type LookupReply =
  /** Bulk strings are buffers; nil and false are null. */
  | { readonly state: 'answered'; readonly value: unknown }
  /** The function failed in Redis. */
  | { readonly state: 'failed'; readonly reason: string }
  /** Redis did not answer, and is not asked for a moment. */
  | { readonly state: 'unanswered' };

/** Holds the one lookup that is asked together with the limits. Its owner registers it at `onModuleInit`. */
@Injectable()
export class LookupRegistry {
  #lookup: RequestLookup | undefined;

  /** @throws when there is one already. */
  register(lookup: RequestLookup): void {
    if (this.#lookup) {
      throw new Error('A lookup is registered already.');
    }
    this.#lookup = lookup;
  }

  get lua(): string | undefined {
    return this.#lookup?.lua;
  }

  questionOf(context: ExecutionContext): LookupQuestion | null {
    return this.#lookup?.questionOf(context) ?? null;
  }
}
