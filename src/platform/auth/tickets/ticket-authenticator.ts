import { createHmac } from 'node:crypto';
import { Injectable, type OnModuleInit, ServiceUnavailableException } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AppConfig } from '../../../config/app-config.js';
import { deriveKey } from '../../crypto/derived-key.js';
import { equalInConstantTime, randomToken, sha256 } from '../../crypto/digest.js';
import { type Counter, Metrics } from '../../metrics/metrics.js';
import { RequestProofRegistry } from '../../rate-limit/request-proof-registry.js';
import { connectionAttempt, type Redis, RedisClients } from '../../redis/redis-clients.js';
import { sessionEnded } from '../auth.errors.js';
import { Authenticator } from '../authenticator.js';
import { bearerTokenOf } from '../bearer-token.js';
import { SessionVerifier } from '../session-verifier.js';
import type { TicketHolder } from './ticket-holder.js';
import { TICKET_PROOF } from './ticket.decorator.js';
import { TicketInvalidError } from './ticket.errors.js';

/** From its issue to its use. */
const LIFE_S = 30;
/** There is no answer without Redis: it is waited for longer than where there is one. */
const ANSWER_WITHIN_MS = 1_000;
const SECRET_BYTES = 32;
const TAG_LENGTH = 22;
const TICKET = /^[\w-]{43}\.[\w-]{22}$/;

export interface IssuedTicket {
  readonly ticket: string;
  readonly expiresIn: number;
}

/**
 * Tickets stand for a session where a browser can send no access token: each once, within seconds, and only while the
 * session stands. Redis has their hashes. One that is lost with it is asked for again; while Redis is away, there are none.
 */
@Injectable()
export class TicketAuthenticator implements OnModuleInit {
  readonly #key: Buffer;
  readonly #tickets: Counter<'outcome'>;
  #client: Redis | undefined;

  constructor(
    private readonly redis: RedisClients,
    private readonly authenticator: Authenticator,
    private readonly sessions: SessionVerifier,
    private readonly proofs: RequestProofRegistry,
    config: AppConfig,
    metrics: Metrics,
  ) {
    this.#key = deriveKey(config.masterKey(), 'tag_tickets');
    this.#tickets = metrics.counter('mortise_tickets_total', 'Tickets for event streams, by what became of them', [
      'outcome',
    ]);
  }

  /** What is not ours can be told without Redis, so that a flood of guesses costs nothing, and a genuine one passes it. */
  onModuleInit(): void {
    this.proofs.register(TICKET_PROOF, ({ query }) => {
      const { ticket } = (query ?? {}) as { ticket?: unknown };
      return typeof ticket === 'string' && this.isOurs(ticket) ? { key: nameOf(ticket) } : null;
    });
  }

  /** Who the guard has let in, and until when the token or the ticket counts that lets them. */
  async holderOf({ ticketHolder, headers }: FastifyRequest): Promise<TicketHolder> {
    return ticketHolder ?? this.authenticator.admit(bearerTokenOf(headers.authorization) ?? '');
  }

  /** @throws ServiceUnavailableException without Redis */
  async issue({ principal: { userId, sessionId, role }, expiresAtMs }: TicketHolder): Promise<IssuedTicket> {
    const secret = randomToken(SECRET_BYTES);
    const ticket = `${secret}.${this.tag(secret)}`;
    const name = nameOf(ticket);
    const holder = JSON.stringify({ principal: { userId, sessionId, role }, expiresAtMs } satisfies TicketHolder);
    // Redis is no authority: who writes there makes no ticket for another person.
    await this.ask((client) => client.set(name, `${this.tag(name + holder)}${holder}`, 'EX', LIFE_S));
    this.#tickets.inc({ outcome: 'issued' });
    return { ticket, expiresIn: LIFE_S };
  }

  /**
   * Who a ticket stands for. It is used up, whatever comes of it: one operation reads and deletes it.
   * @throws TicketInvalidError, SessionEndedError, SessionEvictedError; ServiceUnavailableException without Redis
   */
  async redeem(ticket: string): Promise<TicketHolder> {
    const name = nameOf(ticket);
    const stored = this.isOurs(ticket) ? await this.ask((client) => client.getdel(name)) : null;
    const text = stored?.slice(TAG_LENGTH) ?? '';
    if (stored === null || !sameText(stored.slice(0, TAG_LENGTH), this.tag(name + text))) {
      this.#tickets.inc({ outcome: 'refused' });
      throw new TicketInvalidError();
    }
    const holder = JSON.parse(text) as TicketHolder;
    const end = await this.sessions.endOf(holder.principal.sessionId, { certain: true });
    this.#tickets.inc({ outcome: end === null ? 'redeemed' : 'refused' });
    if (end !== null) {
      throw sessionEnded(end);
    }
    return holder;
  }

  private isOurs(ticket: string): boolean {
    const [secret = '', tag = ''] = TICKET.test(ticket) ? ticket.split('.') : [];
    return secret !== '' && sameText(tag, this.tag(secret));
  }

  private async ask<T>(question: (client: Redis) => Promise<T>): Promise<T> {
    this.#client ??= this.redis.dedicated('tickets', { commandTimeout: ANSWER_WITHIN_MS, maxRetriesPerRequest: 0 });
    try {
      await connectionAttempt(this.#client);
      return await question(this.#client);
    } catch (error) {
      throw new ServiceUnavailableException('Redis does not answer.', { cause: error });
    }
  }

  /** 128 bits. */
  private tag(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest().subarray(0, 16).toString('base64url');
  }
}

function nameOf(ticket: string): string {
  return `mortise:ticket:${sha256(ticket).toString('base64url')}`;
}

function sameText(left: string, right: string): boolean {
  return equalInConstantTime(Buffer.from(left), Buffer.from(right));
}
