/** `npm run admin:create -- --email you@example.com`: an account that manages accounts and operations. */
import 'reflect-metadata';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConfigModule } from '../src/config/config.module.js';
import { loadConfig } from '../src/config/load-config.js';
import { UsersModule } from '../src/features/users/users.module.js';
import { UsersService } from '../src/features/users/users.service.js';
import { CryptoModule } from '../src/platform/crypto/crypto.module.js';
import { ReadinessModule } from '../src/platform/health/readiness.module.js';
import { PrismaModule } from '../src/platform/prisma/prisma.module.js';
import { ClockModule } from '../src/platform/clock/clock.module.js';
import { DomainError } from '../src/shared/domain-error.js';
import { runCommand } from './stack/command.js';
import { openDatabase } from './stack/database.js';
import { Failure } from './stack/failure.js';
import { masterKey } from './stack/settings.js';
import { print } from './stack/steps.js';
import { migrate } from './db/migrate.js';

/** Only the part of the application that knows people: no port is opened, and Redis is not needed. */
@Module({ imports: [ClockModule, ReadinessModule, PrismaModule, CryptoModule, UsersModule] })
class PeopleModule {}

interface NewAdmin {
  readonly email: string;
  readonly password: string;
}

await runCommand(async (supervisor) => {
  const admin = await readAdmin();
  const databaseUrl = await openDatabase(supervisor);
  await migrate(databaseUrl);
  const id = await createAdmin(admin, databaseUrl);
  print(`${admin.email} is an admin now (${id}).`);
  return 0;
});

async function readAdmin(): Promise<NewAdmin> {
  const { values } = parseArgs({ options: { email: { type: 'string' }, password: { type: 'string' } } });
  const email = values.email ?? (await ask('E-mail address: '));
  // An argument is seen by everybody on the machine; the environment and the prompt are not.
  const password = values.password ?? process.env.ADMIN_PASSWORD ?? (await ask('Password: ', { hidden: true }));
  return { email, password };
}

async function ask(question: string, { hidden = false } = {}): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new Failure('Give --email, and the password as --password or in ADMIN_PASSWORD.');
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

async function createAdmin(admin: NewAdmin, databaseUrl: string): Promise<string> {
  const config = loadConfig({
    REDIS_URL: 'redis://127.0.0.1:6379',
    ...process.env,
    DATABASE_URL: databaseUrl,
    MASTER_KEY: await masterKey(),
  });
  const people: DynamicModule = { module: PeopleModule, imports: [ConfigModule.with(config)] };
  const quiet = { logger: false, abortOnError: false } as const;
  const context = await NestFactory.createApplicationContext(people, quiet);
  try {
    return (await context.get(UsersService).create({ ...admin, role: 'ADMIN' })).id;
  } catch (error) {
    if (error instanceof DomainError) {
      throw new Failure([error.message, ...(error.errors ?? []).map(({ detail }) => detail)].join(' '));
    }
    throw error;
  } finally {
    await context.close();
  }
}
