import {
  CHANNEL_OF_REPORT,
  type DeviceReport,
  EVENT_OF_REPORT,
  type EventReport,
} from '../../../contracts/device-sockets.js';
import { type DeviceTopic, deviceTopic, type UplinkChannel } from '../../../contracts/mqtt.js';
import type { FieldError } from '../../../shared/domain-error.js';
import { isTooDeep, PayloadRefusedError, readPayload } from '../../../shared/json-payload.js';
import { InvalidRequestError } from '../../http/validation/validation.js';

/** A report of a device, as MQTT would carry it. */
export interface SocketUplink {
  readonly channel: UplinkChannel;
  /** What refusals and diagnostics name. */
  readonly topic: DeviceTopic;
  readonly payload: unknown;
  /** Of the body, as JSON. */
  readonly bytes: number;
}

/**
 * Reads a report with the rules of MQTT: the handlers behind it are the same. @throws InvalidRequestError
 */
export function uplinkOf(deviceId: string, report: DeviceReport, body: unknown): SocketUplink {
  const channel = CHANNEL_OF_REPORT[report];
  const json = Buffer.from(jsonOf(body));
  const read = readJson(json);
  return { channel, topic: deviceTopic(deviceId, channel), bytes: json.length, payload: payloadOf(report, read) };
}

/** Faults of an event, as its device sees it: it sent no list of events. */
export function faultsAsSent(errors: readonly FieldError[]): FieldError[] {
  return errors.map(({ pointer, ...fault }) => ({ ...fault, pointer: pointer.replace(/^\/events\/0(?=\/|$)/, '') }));
}

function payloadOf(report: DeviceReport, body: unknown): unknown {
  if (isEvent(report)) {
    return { events: [isObject(body) ? { ...body, type: EVENT_OF_REPORT[report] } : body] };
  }
  return report === 'device_register' && isObject(body) ? { ...body, online: true } : body;
}

function isEvent(report: DeviceReport): report is EventReport {
  return Object.hasOwn(EVENT_OF_REPORT, report);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function jsonOf(body: unknown): string {
  if (isTooDeep(body)) {
    throw refused('too_deep');
  }
  return JSON.stringify(body ?? null);
}

/** The parser of Socket.IO takes text that PostgreSQL does not, and names that reach into prototypes. */
function readJson(json: Buffer): unknown {
  try {
    return readPayload(json, 'replaced');
  } catch (error) {
    throw error instanceof PayloadRefusedError ? refused(error.fault) : error;
  }
}

function refused(fault: string): InvalidRequestError {
  return new InvalidRequestError([{ detail: `the message is no JSON as it is taken here: ${fault}`, pointer: '' }]);
}
