import type { ExportType } from '../exports.types.js';
import { AUDIT } from './audit.js';
import type { DataSet } from './data-set.types.js';
import { DEVICE_LOGS } from './device-logs.js';
import { DEVICE_REPORT } from './device-report.js';
import { MY_DATA } from './my-data.js';
import { USAGE_REPORT } from './usage-report.js';
import { USERS } from './users.js';

/** What each type of export consists of. */
export const DATA_SETS: Readonly<Record<ExportType, DataSet>> = {
  device_logs: DEVICE_LOGS,
  usage_report: USAGE_REPORT,
  device_report: DEVICE_REPORT,
  users: USERS,
  audit: AUDIT,
  my_data: MY_DATA,
};

/** Which of the other members each type takes. */
export const TAKES: Readonly<Record<ExportType, readonly ('deviceIds' | 'eventTypes' | 'range')[]>> = {
  device_logs: ['deviceIds', 'eventTypes', 'range'],
  usage_report: ['deviceIds', 'range'],
  device_report: ['deviceIds'],
  users: [],
  audit: ['range'],
  my_data: ['range'],
};
