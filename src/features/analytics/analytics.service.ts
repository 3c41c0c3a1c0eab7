import { Injectable } from '@nestjs/common';
import type { DeviceStatus } from '../../contracts/devices.js';
import type {
  Course,
  Dashboard,
  Distribution,
  Live,
  OfflineReport,
  OfflineTime,
  Question,
  RankedMeasure,
  Ranking,
} from './analytics.types.js';
import { totalOf, totalsOf } from './domain/measures.js';
import { AnalyticsRepository } from './reading/analytics.repository.js';
import { analysisOf, CountsReader, type OpenedQuestion, shownSpan } from './reading/counts-reader.js';
import { courseOf, sumByHour } from './usage.service.js';
import { type PersonsDevice, VisibleDevicesService } from './visible-devices.service.js';

/** What counts as live. */
const LIVE_MS = 5 * 60_000;

/** Answers about all devices that a person sees. */
@Injectable()
export class AnalyticsService {
  constructor(
    private readonly reader: CountsReader,
    private readonly repository: AnalyticsRepository,
    private readonly devices: VisibleDevicesService,
  ) {}

  async dashboard(question: Question): Promise<Dashboard> {
    const { opened, devices } = await this.open(question);
    const [rows, previous] = await Promise.all([
      this.reader.read({ ...opened, period: inOne(opened) }, devices, 'bucket'),
      this.reader.readPrevious(opened, devices),
    ]);
    return { ...analysisOf(opened, rows), totals: totalsOf(rows), previous, devices: byStatus(devices) };
  }

  async trends(question: Question): Promise<Course> {
    const { opened, devices } = await this.open(question);
    const rows = await this.reader.read(opened, devices, 'bucket');
    return { ...analysisOf(opened, rows), series: courseOf(rows, opened.period.bounds.length - 1) };
  }

  async distribution(question: Question): Promise<Distribution> {
    const { opened, devices } = await this.open(question);
    const [hours, rows] = await Promise.all([
      this.reader.read(opened, devices, 'clock'),
      this.reader.read({ ...opened, period: inOne(opened) }, devices, 'bucket'),
    ]);
    const [types, weekdays] = [new Map<string, number>(), new Array<number>(7).fill(0)];
    for (const { type, count } of rows) {
      types.set(type, (types.get(type) ?? 0) + count);
    }
    for (const { bucket, count } of hours) {
      const weekday = Math.floor(bucket / 24);
      weekdays[weekday] = (weekdays[weekday] ?? 0) + count;
    }
    return {
      ...analysisOf(opened, hours),
      byType: [...types]
        .map(([type, events]) => ({ type, events }))
        .sort((a, b) => (a.type < b.type ? -1 : 1))
        .sort(byCount(({ events }) => events)),
      byHour: sumByHour(hours),
      byWeekday: weekdays,
    };
  }

  /** The devices of which something was counted most often. */
  async ranking(question: Question, measure: RankedMeasure, limit: number): Promise<Ranking> {
    const { opened, devices } = await this.open(question);
    const rows = await this.reader.read({ ...opened, period: inOne(opened) }, devices, 'device');
    const items = devices
      .map(({ id, name }) => ({
        deviceId: id,
        name,
        count: totalOf(
          measure,
          rows.filter(({ device }) => device === id),
        ),
      }))
      .sort(byCount(({ count }) => count));
    return { ...analysisOf(opened, rows), items: items.slice(0, limit) };
  }

  /** How long devices were offline. */
  async offline(question: Question, limit: number): Promise<OfflineReport> {
    const { opened, devices } = await this.open(question);
    const { period, asOf } = opened;
    const times = await this.repository.listOffline(
      devices.map(({ id, since, createdAt }) => ({ id, since: since ?? createdAt })),
      period.bounds,
      asOf,
    );
    const values = new Array<number>(period.bounds.length - 1).fill(0);
    for (const { bucket, seconds } of times) {
      values[bucket] = (values[bucket] ?? 0) + seconds;
    }
    const items = devices.map((device) => offlineItem(device, times, opened)).sort(byCount(({ seconds }) => seconds));
    return {
      ...analysisOf(opened, []),
      series: [{ name: 'offline', unit: 'seconds', values: values.map(toWhole) }],
      items: items.slice(0, limit),
    };
  }

  async live(userId: string): Promise<Live> {
    const [devices, { now }] = await Promise.all([this.devices.list(userId), this.repository.findState()]);
    const facts = await this.repository.findLive(devices, new Date(now.getTime() - LIVE_MS));
    return { ...facts, devices: byStatus(devices), asOf: now };
  }

  private async open(question: Question): Promise<{ opened: OpenedQuestion; devices: PersonsDevice[] }> {
    const [devices, opened] = await Promise.all([this.devices.list(question.userId), this.reader.open(question)]);
    return { opened, devices };
  }
}

/** The period as one point. */
function inOne({ period }: OpenedQuestion): OpenedQuestion['period'] {
  return { ...period, bounds: [period.from, period.until] };
}

function byStatus(devices: readonly PersonsDevice[]): Readonly<Partial<Record<DeviceStatus, number>>> {
  const counts: Partial<Record<DeviceStatus, number>> = {};
  for (const { status } of devices) {
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

/** The most first. */
function byCount<T>(countOf: (item: T) => number): (a: T, b: T) => number {
  return (a, b) => countOf(b) - countOf(a);
}

function toWhole(seconds: number): number {
  return Math.round(seconds);
}

function offlineItem(
  { id, name, status, since, createdAt }: PersonsDevice,
  times: readonly OfflineTime[],
  { period, asOf }: OpenedQuestion,
): OfflineReport['items'][number] {
  const own = times.filter(({ device }) => device === id);
  const seconds = own.reduce((sum, each) => sum + each.seconds, 0);
  const span = shownSpan(since ?? createdAt, period, asOf);
  const isKnown = span !== null && status !== 'unknown';
  return {
    deviceId: id,
    name,
    seconds: toWhole(seconds),
    periods: own.reduce((sum, each) => sum + each.periods, 0),
    uptimePercent: isKnown ? Math.round((1 - (seconds * 1_000) / (span.until - span.from)) * 10_000) / 100 : null,
  };
}
