/** A feature that has one of everything: see `test/contract/feature-shape.spec.ts`, which compiles and boots it. */
const MODULE = `
import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { EventsModule } from '../../platform/events/events.module.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { RateLimitModule } from '../../platform/rate-limit/rate-limit.module.js';
import { TOYS_AUDIT } from './toys.audit.js';
import { TOYS_EVENTS } from './toys.events.js';
import { TOYS_MAIL } from './toys.mail.js';
import { TOYS_PURGE } from './toys.purge.js';
import { TOYS_RATE_LIMITS } from './toys.rate-limits.js';
import { ToysService } from './toys.service.js';

@Module({
  imports: [
    AuditPlatformModule.forFeature(TOYS_AUDIT),
    EventsModule.forFeature(TOYS_EVENTS),
    MailModule.forFeature(TOYS_MAIL),
    RateLimitModule.forFeature(TOYS_RATE_LIMITS),
  ],
  providers: [ToysService, TOYS_PURGE],
  exports: [ToysService],
})
export class ToysModule {}
`;

const EDGES = `
import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { ToysController } from './toys.controller.js';
import { ToysJob } from './toys.job.js';

export const toysEdges = { api: [ToysController], worker: [ToysJob] } satisfies FeatureEdges;
`;

const CONTROLLER = `
import { Controller, Post } from '@nestjs/common';
import { Audit } from '../../platform/audit/audit.decorator.js';
import { Public } from '../../platform/auth/authorize.decorator.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { ToysService } from './toys.service.js';

@Controller('toys')
export class ToysController {
  constructor(private readonly toys: ToysService) {}

  @Post()
  @Public()
  @Audit('toy_made')
  @RateLimit('toys')
  make(): Promise<void> {
    return this.toys.make('bear');
  }
}
`;

const SERVICE = `
import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { EventLog } from '../../platform/events/event-log.js';
import { Mailer } from '../../platform/mail/mailer.js';
import { type Counter, Metrics } from '../../platform/metrics/metrics.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { newId } from '../../shared/ids.js';

@Injectable()
export class ToysService {
  readonly #made: Counter;

  constructor(
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly events: EventLog,
    private readonly mailer: Mailer,
    metrics: Metrics,
  ) {
    this.#made = metrics.counter('mortise_toys_total', 'Toys that were made');
  }

  make(name: string): Promise<void> {
    return this.transactions.run(async () => {
      await this.audit.record({ entity: { type: 'toy', id: newId() } });
      await this.events.append({ type: 'toy_made', payload: { name }, source: 'http', actor: 'anonymous' });
      await this.mailer.enqueue({ to: 'ada@example.com', template: 'toy_ready', values: { name } });
      this.#made.inc();
    });
  }

  purge(limit: number): Promise<number> {
    return Promise.resolve(Math.min(limit, 0));
  }
}
`;

const AUDIT = `
import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof TOYS_AUDIT.actions)[number], true> {}
  interface AuditEntityTypes extends Readonly<typeof TOYS_AUDIT.entities> {}
}

export const TOYS_AUDIT = { actions: ['toy_made'], entities: { toy: 'toyId' } } as const satisfies AuditDeclaration;
`;

const EVENTS = `
import type { PayloadOf } from '../../contracts/events.js';
import type { EventDeclaration } from '../../platform/events/event-type-registry.js';

export class ToyMadePayload implements PayloadOf<'toy_made'> {
  name!: string;
}

export const TOYS_EVENTS = { toy_made: ToyMadePayload } satisfies EventDeclaration;
`;

const MAIL = `
import type { MailComposers, MailValuesOf } from '../../platform/mail/mail-template-registry.js';
import { paragraphs, plain, type RenderedMail } from '../../platform/mail/mail-text.js';

declare module '../../contracts/mail.js' {
  interface MailTemplates extends MailValuesOf<typeof TOYS_MAIL> {}
}

export const TOYS_MAIL = {
  toy_ready: ({ name }: { name: string }): RenderedMail => ({ subject: 'Your toy', text: paragraphs(plain(name)) }),
} satisfies MailComposers;
`;

const RATE_LIMITS = `
import { userKey } from '../../platform/rate-limit/platform-rate-limits.js';
import type { RateLimitCategories } from '../../platform/rate-limit/rate-limit-registry.js';

declare module '../../contracts/rate-limits.js' {
  interface RateCategories extends Record<keyof typeof TOYS_RATE_LIMITS, true> {}
}

export const TOYS_RATE_LIMITS = {
  toys: { description: 'Toys of a person.', limit: '5/1m', keyOf: userKey },
} satisfies RateLimitCategories;
`;

const PURGE = `
import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { ToysService } from './toys.service.js';

export const TOYS_PURGE = purgeRule({
  name: 'purge_toys',
  tables: ['toys'],
  keptFor: 3_600_000,
  from: [ToysService],
  purge: ({ limit }, toys) => toys.purge(limit),
});
`;

const JOB = `
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { JobRegistry } from '../../platform/queue/job-registry.js';

declare module '../../contracts/jobs.js' {
  interface Jobs {
    count_toys: Record<string, never>;
  }
}

@Injectable()
export class ToysJob implements OnModuleInit {
  constructor(private readonly jobs: JobRegistry) {}

  onModuleInit(): void {
    this.jobs.register('count_toys', { queue: 'maintenance', everyMs: 3_600_000 }, () => Promise.resolve());
  }
}
`;

/** Its files, by name. */
export const TOY_FEATURE: Readonly<Record<string, string>> = {
  'toys.module.ts': MODULE,
  'toys.edges.ts': EDGES,
  'toys.controller.ts': CONTROLLER,
  'toys.service.ts': SERVICE,
  'toys.audit.ts': AUDIT,
  'toys.events.ts': EVENTS,
  'toys.mail.ts': MAIL,
  'toys.rate-limits.ts': RATE_LIMITS,
  'toys.purge.ts': PURGE,
  'toys.job.ts': JOB,
};

/** What changes outside of its folder, by path. */
export const TOY_PLACES: Readonly<Record<string, (text: string) => string>> = {
  'src/apps/features.ts': (text) =>
    `import { toysEdges } from '../features/toys/toys.edges.js';
import { ToysModule } from '../features/toys/toys.module.js';
${text.replace('FEATURES: readonly Feature[] = [', '$&\n  { module: ToysModule, edges: toysEdges },')}`,
  'src/contracts/events.ts': (text) =>
    text
      .replace('interface EventPayloads {', '$&\n  toy_made: { name: string };')
      .replace('EVENT_TYPES = [', "$&\n  'toy_made',"),
  'src/contracts/realtime.ts': (text) =>
    text.replace('SOCKET_EVENTS: Record<EventType, FeedEvent | null> = {', '$&\n  toy_made: null,'),
  '.dependency-cruiser.cjs': (text) => text.replace(' audit realtime', ' toys audit realtime'),
};
