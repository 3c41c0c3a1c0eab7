import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { EventsModule } from '../../platform/events/events.module.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { StorageModule } from '../../platform/storage/storage.module.js';
import { AccountModule } from '../account/account.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { SharingModule } from '../sharing/sharing.module.js';
import { UsersModule } from '../users/users.module.js';
import { ExportCoverageService } from './export-coverage.service.js';
import { EXPORTS_AUDIT } from './exports.audit.js';
import { EXPORTS_EVENTS } from './exports.events.js';
import { EXPORTS_MAIL } from './exports.mail.js';
import { EXPORTS_PURGE } from './exports.purge.js';
import { ExportsRepository } from './exports.repository.js';
import { ExportsService } from './exports.service.js';
import { ExportFilesService } from './files/export-files.service.js';
import { ExportWaiters } from './requests/export-waiters.js';
import { ExportDataRepository } from './runs/export-data.repository.js';
import { ExportEndingService } from './runs/export-ending.service.js';
import { ExportFileWriter } from './runs/export-file-writer.js';
import { ExportMailer } from './runs/export-mailer.js';
import { ExportRunsRepository } from './runs/export-runs.repository.js';
import { FailedExportsRepository } from './runs/failed-exports.repository.js';
import { FailedExportsService } from './runs/failed-exports.service.js';
import { ExportSchedulesRepository } from './schedules/export-schedules.repository.js';
import { ExportSchedulesService } from './schedules/export-schedules.service.js';

/** What the edges of the feature call, in one role or another. */
const PROVIDERS = [
  ExportsService,
  ExportsRepository,
  ExportCoverageService,
  ExportWaiters,
  ExportFilesService,
  ExportRunsRepository,
  FailedExportsRepository,
  FailedExportsService,
  ExportDataRepository,
  ExportEndingService,
  ExportMailer,
  ExportFileWriter,
  ExportSchedulesService,
  ExportSchedulesRepository,
];

/** Files of what people may see, made behind their request. */
@Module({
  imports: [
    UsersModule,
    AccountModule,
    SharingModule,
    DevicesModule,
    StorageModule,
    AuditPlatformModule.forFeature(EXPORTS_AUDIT),
    EventsModule.forFeature(EXPORTS_EVENTS),
    MailModule.forFeature(EXPORTS_MAIL),
  ],
  providers: [...PROVIDERS, EXPORTS_PURGE],
  exports: PROVIDERS,
})
export class ExportsModule {}
