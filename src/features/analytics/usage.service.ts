import { Injectable } from '@nestjs/common';
import { ResourceNotFoundError } from '../../platform/auth/auth.errors.js';
import { AuditReadWriter } from '../../platform/audit/audit-read-writer.js';
import type { BucketCount, Course, Question, Usage } from './analytics.types.js';
import { type Measure, MEASURES, totalsOf, valuesOf } from './domain/measures.js';
import { analysisOf, CountsReader } from './reading/counts-reader.js';
import { type PersonsDevice, VisibleDevicesService } from './visible-devices.service.js';

/** Devices that are compared at most. */
export const MAX_COMPARED = 10;

/** The course of single devices. */
@Injectable()
export class UsageService {
  constructor(
    private readonly reader: CountsReader,
    private readonly devices: VisibleDevicesService,
    private readonly reads: AuditReadWriter,
  ) {}

  /** What happened to a device, point by point, beside the time before. @throws the errors of CountsReader.open */
  async ofDevice(deviceId: string, question: Question): Promise<Usage> {
    const [device, opened] = await Promise.all([this.devices.get(deviceId), this.reader.open(question)]);
    const [rows, previous, hours] = await Promise.all([
      this.reader.read(opened, [device], 'bucket'),
      this.reader.readPrevious(opened, [device]),
      this.reader.read(opened, [device], 'clock'),
    ]);
    const points = opened.period.bounds.length - 1;
    return {
      ...analysisOf(opened, rows),
      series: courseOf(rows, points),
      totals: totalsOf(rows),
      previous,
      peakHour: peakHourOf(hours),
    };
  }

  /**
   * One figure of several devices side by side. Those that are another's are audited each, as their usage by itself is.
   * @throws ResourceNotFoundError for a device that the person does not see, and the errors of CountsReader.open
   */
  async compare(deviceIds: readonly string[] | undefined, measure: Measure, question: Question): Promise<Course> {
    const [visible, opened] = await Promise.all([this.devices.list(question.userId), this.reader.open(question)]);
    const devices = deviceIds?.map((id) => found(visible, id)) ?? visible.slice(0, MAX_COMPARED);
    const rows = await this.reader.read(opened, devices, 'device');
    for (const { id } of devices.filter(({ owned }) => !owned)) {
      await this.reads.record('device_usage_read', { type: 'device', id });
    }
    const points = opened.period.bounds.length - 1;
    return {
      ...analysisOf(opened, rows),
      series: devices.map(({ id, name }) => ({
        name,
        deviceId: id,
        unit: 'events',
        values: valuesOf(
          measure,
          points,
          rows.filter(({ device }) => device === id),
        ),
      })),
    };
  }
}

function found(visible: readonly PersonsDevice[], id: string): PersonsDevice {
  const device = visible.find((each) => each.id === id);
  if (!device) {
    throw new ResourceNotFoundError('device');
  }
  return device;
}

/** Every figure as a series. */
export function courseOf(rows: readonly BucketCount[], points: number): Course['series'] {
  return MEASURES.map((name) => ({ name, unit: 'events', values: valuesOf(name, points, rows) }));
}

function peakHourOf(rows: readonly BucketCount[]): Usage['peakHour'] {
  const events = sumByHour(rows);
  const most = Math.max(...events);
  return most === 0 ? null : { hour: events.indexOf(most), events: most };
}

/** Events by the hour of the day, of counts by the clock. */
export function sumByHour(rows: readonly BucketCount[]): number[] {
  const events = new Array<number>(24).fill(0);
  for (const { bucket, count } of rows) {
    events[bucket % 24] = (events[bucket % 24] ?? 0) + count;
  }
  return events;
}
