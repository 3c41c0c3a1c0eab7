/**
 * `npm run admin:create -- --email you@example.com`: an account that manages accounts and operations. With `--promote` an
 * account that exists becomes one.
 */
import 'reflect-metadata';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { type DynamicModule, type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConfigModule } from '../src/config/config.module.js';
import { loadConfig } from '../src/config/load-config.js';
import { UsersModule } from '../src/features/users/users.module.js';
import { UsersService } from '../src/features/users/users.service.js';
import { AuditWriter } from '../src/platform/audit/audit-writer.js';
import { AuditPlatformModule } from '../src/platform/audit/audit-platform.module.js';
import { newContext, runInContext } from '../src/platform/context/request-context.js';
import { CryptoModule } from '../src/platform/crypto/crypto.module.js';
import { ReadinessModule } from '../src/platform/health/readiness.module.js';
import { LoggingModule } from '../src/platform/logging/logging.module.js';
import { MetricsModule } from '../src/platform/metrics/metrics.module.js';
import { PrismaModule } from '../src/platform/prisma/prisma.module.js';
import { Transactions } from '../src/platform/prisma/transactions.js';
import { SchedulingModule } from '../src/platform/scheduling/scheduling.module.js';
import { ClockModule } from '../src/platform/clock/clock.module.js';
import { DomainError } from '../src/shared/domain-error.js';
import { runCommand } from './stack/command.js';
import { openDatabase } from './stack/database.js';
import { Failure } from './stack/failure.js';
import { masterKey } from './stack/settings.js';
import { print } from './stack/steps.js';
import { migrate } from './db/migrate.js';

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

interface Wanted {
  readonly email: string;
  /** Null where an account that exists is promoted. */
  readonly password: string | null;
}

await runCommand(async (supervisor) => {
  const admin = await readAdmin();
  const databaseUrl = await openDatabase(supervisor);
  await migrate(databaseUrl);
  const id = await inApplication(databaseUrl, (people) =>
    admin.password === null ? promote(people, admin.email) : create(people, admin.email, admin.password),
  );
  print(`${admin.email} is an admin now (${id}).`);
  return 0;
});

async function readAdmin(): Promise<Wanted> {
  const { values } = parseArgs({
    options: { email: { type: 'string' }, password: { type: 'string' }, promote: { type: 'boolean' } },
  });
  const email = values.email ?? (await ask('E-mail address: '));
  if (values.promote === true) {
    return { email, password: null };
  }
  // An argument can be read by every user of the machine; the environment and the prompt are not.
  const password = values.password ?? process.env.ADMIN_PASSWORD ?? (await ask('Password: ', { hidden: true }));
  return { email, password };
}

async function ask(question: string, { hidden = false } = {}): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new Failure('Give --email, and the password as --password or in ADMIN_PASSWORD (or --promote).');
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
      print('');
    }
  }
}

async function create(people: INestApplicationContext, email: string, password: string): Promise<string> {
  const users = people.get(UsersService);
  if (await users.findByIdentifier(email)) {
    throw new Failure(`${email} has an account already: --promote makes it an admin, with the password it has.`);
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
    throw new Failure(`There is no account of ${email}.`);
  }
  const context = {
    ...newContext('system', 'system'),
    audit: { action: 'user_role_changed', recorded: false } as const,
  };
  return (await runInContext(context, () => users.changeRole(user.id, 'ADMIN'))).id;
}

async function inApplication(
  databaseUrl: string,
  work: (people: INestApplicationContext) => Promise<string>,
): Promise<string> {
  const config = loadConfig({
    REDIS_URL: 'redis://127.0.0.1:6379',
    ...process.env,
    DATABASE_URL: databaseUrl,
    MASTER_KEY: await masterKey(),
  });
  const module: DynamicModule = { module: PeopleModule, imports: [ConfigModule.with(config)] };
  const people = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  try {
    return await work(people);
  } catch (error) {
    if (error instanceof DomainError) {
      throw new Failure([error.message, ...(error.errors ?? []).map(({ detail }) => detail)].join(' '));
    }
    throw error;
  } finally {
    await people.close();
  }
}
