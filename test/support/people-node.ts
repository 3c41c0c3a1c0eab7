import { randomBytes } from 'node:crypto';
import { type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { ConfigModule } from '../../src/config/config.module.js';
import { loadConfig } from '../../src/config/load-config.js';
import { AuthModule } from '../../src/features/auth/auth.module.js';
import type { SignedIn } from '../../src/features/auth/auth.types.js';
import { LoginService } from '../../src/features/auth/login/login.service.js';
import { RegistrationService } from '../../src/features/auth/registration/registration.service.js';
import { SessionsService } from '../../src/features/auth/sessions/sessions.service.js';
import { SigningKeysModule } from '../../src/features/signing-keys/signing-keys.module.js';
import { UsersModule } from '../../src/features/users/users.module.js';
import type { NewUser, User } from '../../src/features/users/users.types.js';
import { AuditPlatformModule } from '../../src/platform/audit/audit.module.js';
import { AuthPlatformModule } from '../../src/platform/auth/auth-platform.module.js';
import { Authenticator } from '../../src/platform/auth/authenticator.js';
import { ClockModule } from '../../src/platform/clock/clock.module.js';
import { CryptoModule } from '../../src/platform/crypto/crypto.module.js';
import { KeyRotationModule } from '../../src/platform/keys/key-rotation.module.js';
import { EventsModule } from '../../src/platform/events/events.module.js';
import { ReadinessModule } from '../../src/platform/health/readiness.module.js';
import { IdempotencyModule } from '../../src/platform/idempotency/idempotency.module.js';
import { LoggingModule } from '../../src/platform/logging/logging.module.js';
import { MailModule } from '../../src/platform/mail/mail.module.js';
import { MetricsModule } from '../../src/platform/metrics/metrics.module.js';
import { Database } from '../../src/platform/prisma/database.js';
import { PrismaModule } from '../../src/platform/prisma/prisma.module.js';
import { RateLimitModule } from '../../src/platform/rate-limit/rate-limit.module.js';
import { SchedulingModule } from '../../src/platform/scheduling/scheduling.module.js';
import { RedisModule } from '../../src/platform/redis/redis.module.js';

export const PASSWORD = 'tangerine harbour plumage';

export interface PeopleNodeOptions {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** The same for all processes of one installation. */
  readonly masterKey: string;
  /** Settings that differ from the defaults. */
  readonly env?: Readonly<Record<string, string>>;
}

export function newMasterKey(): string {
  return randomBytes(32).toString('base64');
}

/** One process of the application, as far as accounts, sessions and keys go. */
export class PeopleNode {
  private constructor(private readonly module: TestingModule) {}

  static async start({ databaseUrl, redisUrl, masterKey, env = {} }: PeopleNodeOptions): Promise<PeopleNode> {
    const config = loadConfig({
      NODE_ENV: 'test',
      LOG_LEVEL: 'silent',
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrl,
      MASTER_KEY: masterKey,
      ...env,
    });
    const module = await Test.createTestingModule({
      imports: [
        ConfigModule.with(config),
        LoggingModule.forRoot(),
        ClockModule,
        ReadinessModule,
        SchedulingModule,
        PrismaModule,
        RedisModule,
        CryptoModule,
        KeyRotationModule,
        MetricsModule,
        AuditPlatformModule,
        EventsModule,
        IdempotencyModule,
        RateLimitModule,
        MailModule,
        AuthPlatformModule,
        UsersModule,
        AuthModule,
        SigningKeysModule,
      ],
      providers: [Authenticator],
    }).compile();
    await module.init();
    return new PeopleNode(module);
  }

  get<T>(type: Type<T>): T {
    return this.module.get(type, { strict: false });
  }

  /** What the routes of `/auth` call. */
  get auth(): Pick<LoginService, 'login'> & Pick<SessionsService, 'refresh' | 'logout'> {
    const sessions = this.get(SessionsService);
    return {
      login: (credentials, client) => this.get(LoginService).login(credentials, client),
      refresh: (refreshToken) => sessions.refresh(refreshToken),
      logout: (principal) => sessions.logout(principal),
    };
  }

  get authenticator(): Authenticator {
    return this.get(Authenticator);
  }

  /** @throws what registering with `REGISTRATION=open` throws */
  async register(account: Omit<NewUser, 'role'>): Promise<User> {
    const user = await this.get(RegistrationService).register(account);
    if (!user) {
      throw new Error('This node does not let people register.');
    }
    return user;
  }

  /** A new account, signed in. */
  async newcomer(): Promise<SignedIn> {
    const email = `${randomBytes(8).toString('hex')}@example.com`;
    await this.register({ email, password: PASSWORD });
    return this.auth.login({ identifier: email, password: PASSWORD }, { ip: '192.0.2.7', userAgent: 'jest' });
  }

  /** What the database says, past every cache. */
  async rows<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.get(Database).pool.query<Row>(sql, [...values])).rows;
  }

  stop(): Promise<void> {
    return this.module.close();
  }
}
