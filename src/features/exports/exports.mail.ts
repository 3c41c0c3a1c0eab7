import type { MailComposers, MailValuesOf } from '../../platform/mail/mail-template-registry.js';
import { paragraphs, type RenderedMail } from '../../platform/mail/mail-text.js';
import type { ExportFailure, ExportType } from './exports.types.js';

declare module '../../contracts/mail.js' {
  interface MailTemplates extends MailValuesOf<typeof EXPORTS_MAIL> {}
}

interface Ready {
  exportId: string;
  type: ExportType;
  rows: number;
}

interface Failed {
  exportId: string;
  type: ExportType;
  failure: ExportFailure;
}

const NAMES: Readonly<Record<ExportType, string>> = {
  device_logs: 'device logs',
  usage_report: 'usage report',
  device_report: 'device report',
  users: 'users',
  audit: 'audit trail',
  my_data: 'my data',
};

const REASONS: Readonly<Record<ExportFailure, string>> = {
  storage_full: 'There is no room for the file: the operator has to make some.',
  storage_unavailable: 'The place where files are kept could not be reached.',
  too_large: 'The file would be larger than files may be: ask for less at once.',
  not_permitted: 'You may not see all of it any more: ask for what you may see.',
  timed_out: 'It took too long: ask for less at once.',
  internal: 'Something went wrong on our side.',
};

export const EXPORTS_MAIL = {
  export_ready: ({ exportId, type, rows }: Ready, publicUrl: string): RenderedMail => ({
    subject: `Your export is ready: ${NAMES[type]}`,
    text: paragraphs(
      'Hello,',
      `the export "${NAMES[type]}" that you asked for is ready, with ${String(rows)} rows. Its file is kept for 24 hours:`,
      `${publicUrl}/exports/${exportId}`,
      'You need to sign in to read it.',
    ),
  }),
  export_failed: ({ exportId, type, failure }: Failed, publicUrl: string): RenderedMail => ({
    subject: `Your export failed: ${NAMES[type]}`,
    text: paragraphs(
      'Hello,',
      `the export "${NAMES[type]}" that you asked for could not be made. ${REASONS[failure]}`,
      `${publicUrl}/exports/${exportId}`,
    ),
  }),
} satisfies MailComposers;
