import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { ExportsController } from './exports.controller.js';
import { ExportFileSweeper } from './files/export-file-sweeper.js';
import { ExportFilesController } from './files/export-files.controller.js';
import { ExportMetrics } from './runs/export-metrics.js';
import { ExportRunnerService } from './runs/export-runner.service.js';
import { ExportSweeper } from './runs/export-sweeper.js';
import { ExportScheduleSweeper } from './schedules/export-schedule-sweeper.js';
import { ExportSchedulesController } from './schedules/export-schedules.controller.js';

/** What meets the outside in each role. */
export const exportsEdges = {
  api: [ExportSchedulesController, ExportsController, ExportFilesController],
  worker: [ExportRunnerService, ExportSweeper, ExportFileSweeper, ExportScheduleSweeper, ExportMetrics],
} satisfies FeatureEdges;
