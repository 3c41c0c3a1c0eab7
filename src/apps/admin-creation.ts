import 'reflect-metadata';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { parseArgs, ParseArgsConfig } from 'node:util';
import { type DynamicModule, type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AppConfig } from '../config/app-config.js';
import { environmentWithSecrets } from '../config/load-config.js';
import { ConfigModule } from '../config/config.module.js';
import { UsersModule } from '../features/users/users.module.js';
import { UsersService } from '../features/users/users.service.js';
import { AuditWriter } from '../platform/audit/audit-writer.js';
import { AuditPlatformModule } from '../platform/audit/audit-platform.module.js';
import { newContext, runInContext } from '../platform/context/request-context.js';
import { CryptoModule } from '../platform/crypto/crypto.module.js';
import { ReadinessModule } from '../platform/health/readiness.module.js';
import { LoggingModule } from '../platform/logging/logging.module.js';
import { MetricsModule } from '../platform/metrics/metrics.module.js';
import { PrismaModule } from '../platform/prisma/prisma.module.js';
import { DatabaseHealthService } from '../platform/prisma/database-health.service.js';
import { databaseName } from '../platform/prisma/migrations/database-name.js';
import { DatabaseUnreachableError } from '../platform/prisma/migrations/migration.errors.js';
import { Transactions } from '../platform/prisma/transactions.js';
import { SchedulingModule } from '../platform/scheduling/scheduling.module.js';
import { ClockModule } from '../platform/clock/clock.module.js';
import { DomainError } from '../shared/domain-error.js';
import { OperatorError } from '../shared/operator-error.js';
import { configOfProgram, type ProgramEnvironment } from './program.js';

/** Only the part of the application that knows people: no port is opened, and Redis is not needed. */
@Module({
  imports: [
    ClockModule,
    LoggingModule.forRoot(),
    MetricsModule,
    ReadinessModule,
    PrismaModule,
    SchedulingModule,
    CryptoModule,
    AuditPlatformModule,
    UsersModule,
  ],
})
class PeopleModule {}

export const ADMIN_CREATION = `Makes an account that manages accounts and operations.

  --email <address>   asked for in a terminal when it is left out
  --promote           makes an account that exists an administrator, with the password that it has
  --password <text>   every user of the machine can read it there: better ADMIN_PASSWORD, ADMIN_PASSWORD_FILE, or typed`;

export const ADMIN_OPTIONS = {
  email: { type: 'string' },
  password: { type: 'string' },
  promote: { type: 'boolean' },
} as const satisfies ParseArgsConfig['options'];

/** What the command line says of the account. */
type AdminOptions = ReturnType<typeof parseArgs<{ options: typeof ADMIN_OPTIONS }>>['values'];

interface Wanted {
  readonly email: string;
  /** Null where an account that exists is promoted. */
  readonly password: string | null;
}

/**
 * Makes an account that manages accounts and operations, or with `--promote` an account that exists one.
 * @returns what is to be said
 */
export async function createAdmin(env: ProgramEnvironment, options: AdminOptions): Promise<string> {
  const config = configOfProgram(env);
  const admin = await readAdmin(env, options);
  const id = await inApplication(config, (people) =>
    admin.password === null ? promote(people, admin.email) : create(people, admin.email, admin.password),
  );
  return `${admin.email} is an admin now (${id}).`;
}

async function readAdmin(env: ProgramEnvironment, options: AdminOptions): Promise<Wanted> {
  const email = options.email ?? (await ask('E-mail address: '));
  if (options.promote === true) {
    return { email, password: null };
  }
  // An argument can be read by every user of the machine; the environment, a file and the prompt cannot.
  const { ADMIN_PASSWORD } = environmentWithSecrets(env, ['ADMIN_PASSWORD']);
  const password = options.password ?? ADMIN_PASSWORD ?? (await ask('Password: ', { hidden: true }));
  return { email, password };
}

async function ask(question: string, { hidden = false } = {}): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new OperatorError('Give --email, and the password in ADMIN_PASSWORD or ADMIN_PASSWORD_FILE (or --promote).');
  }
  const silent = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  process.stdout.write(question);
  const terminal = createInterface({ input: process.stdin, output: hidden ? silent : process.stdout, terminal: true });
  try {
    return await terminal.question('');
  } finally {
    terminal.close();
    if (hidden) {
      process.stdout.write('\n');
    }
  }
}

async function create(people: INestApplicationContext, email: string, password: string): Promise<string> {
  const users = people.get(UsersService);
  if (await users.findByIdentifier(email)) {
    throw new OperatorError(`${email} has an account already: --promote makes it an admin, with the password it has.`);
  }
  const prepared = await users.prepare({ email, password });
  return people.get(Transactions).run(async () => {
    const { id, username, role } = await users.createPrepared(prepared, 'ADMIN');
    const after = { email: prepared.email, username, role };
    await people.get(AuditWriter).record({ action: 'user_created', entity: { type: 'user', id }, after });
    return id;
  });
}

async function promote(people: INestApplicationContext, email: string): Promise<string> {
  const users = people.get(UsersService);
  const user = await users.findByIdentifier(email);
  if (!user) {
    throw new OperatorError(`There is no account of ${email}.`);
  }
  const context = {
    ...newContext('system', 'system'),
    audit: { action: 'user_role_changed', recorded: false } as const,
  };
  return (await runInContext(context, () => users.changeRole(user.id, 'ADMIN'))).id;
}

async function inApplication(
  config: AppConfig,
  work: (people: INestApplicationContext) => Promise<string>,
): Promise<string> {
  const module: DynamicModule = { module: PeopleModule, imports: [ConfigModule.with(config)] };
  const people = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  try {
    // A database that is away or not migrated is told in one line, before a statement fails on it.
    await people
      .get(DatabaseHealthService)
      .check()
      .catch((error: unknown) => {
        throw error instanceof OperatorError
          ? error
          : new DatabaseUnreachableError(databaseName(config.database.url), error);
      });
    return await work(people);
  } catch (error) {
    if (error instanceof DomainError) {
      throw new OperatorError([error.message, ...(error.errors ?? []).map(({ detail }) => detail)].join(' '));
    }
    throw error;
  } finally {
    await people.close();
  }
}
