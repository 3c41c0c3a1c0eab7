import { type ExecutionContext, Injectable, type Type } from '@nestjs/common';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { DomainError } from '../../shared/domain-error.js';
import { argumentClass } from '../http/request-as-read.js';
import { validationPipe } from '../http/validation/validation.js';

/** Spellings of queries that a process remembers. */
const MAX_REMEMBERED = 5_000;
/** A longer one is not cached: as many as are remembered would be too much. */
const MAX_QUERY_LENGTH = 1_024;

/** What is asked of a route, in one spelling. */
export interface CacheQuestion {
  readonly text: string;
  /** As the handler gets it. */
  readonly query: object;
}

/** Finds out what a request asks, however it is spelt: order, escapes and left out defaults make no difference. */
@Injectable()
export class CacheKeyFactory {
  readonly #pipe = validationPipe();
  /** By route and raw query: what a text means never changes. */
  readonly #known = new LRUCache<string, CacheQuestion>({ max: MAX_REMEMBERED });

  /** Without reading the query; undefined where its spelling was not met yet. */
  known(request: FastifyRequest): CacheQuestion | undefined {
    return this.#known.get(spellingOf(request));
  }

  /** Null where the route refuses the query, or it is too long. */
  async questionOf(context: ExecutionContext, request: FastifyRequest): Promise<CacheQuestion | null> {
    const spelling = spellingOf(request);
    const known = this.#known.get(spelling);
    if (known || spelling.length > MAX_QUERY_LENGTH) {
      return known ?? null;
    }
    const query = await this.read(argumentClass(context, RouteParamtypes.QUERY), request);
    if (!query) {
      return null;
    }
    const values = Object.entries(query).filter(([, value]) => value !== undefined);
    values.sort(([a], [b]) => (a < b ? -1 : 1));
    const question = { text: JSON.stringify([routeOf(request), request.params, values]), query };
    this.#known.set(spelling, question);
    return question;
  }

  private async read(type: unknown, { query }: FastifyRequest): Promise<object | null> {
    const given = query as object;
    if (typeof type !== 'function') {
      return Object.keys(given).length === 0 ? {} : null;
    }
    try {
      // A copy: the framework takes members out of what it reads.
      return (await this.#pipe.transform({ ...given }, { type: 'query', metatype: type as Type })) as object;
    } catch (error) {
      if (error instanceof DomainError) {
        return null;
      }
      throw error;
    }
  }
}

function routeOf({ routeOptions }: FastifyRequest): string {
  return routeOptions.url ?? '';
}

function spellingOf(request: FastifyRequest): string {
  return `${routeOf(request)} ${request.url}`;
}
