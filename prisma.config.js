import { defineConfig } from 'prisma/config';

export default defineConfig({
  schema: 'prisma/schema',
  migrations: { path: 'prisma/migrations' },
  // Generating needs no database; `prisma migrate deploy`, where it is used, needs this one.
  datasource: { url: process.env.DATABASE_URL ?? '' },
});
