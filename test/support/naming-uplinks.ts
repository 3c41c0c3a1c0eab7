import {
  type DeviceReport,
  EVENT_OF_REPORT,
  type EventReport,
  type ReportBodies,
} from '../../src/contracts/device-sockets.js';
import type { DeviceMessages, UplinkChannel } from '../../src/contracts/mqtt.js';
import { uptimeMs } from './device-uptime.js';

/** What a message of a device can name. */
export interface NamedIds {
  /** No message has a place for it: it stands beside the members that are known. */
  readonly deviceId: string;
  readonly boot: string;
  /** The command that acks are about, and the one that reports of the bolt, the door and the camera are about. */
  readonly sent: string;
  readonly executed: string;
}

/** Numbers the events of a device, for each of its boots from 1 on. */
export function numbering(): (boot: string) => number {
  const last = new Map<string, number>();
  return (boot) => {
    const seq = (last.get(boot) ?? 0) + 1;
    last.set(boot, seq);
    return seq;
  };
}

/** Makes a good body of each report, with these ids wherever one can stand. The compiler knows of each new report. */
export function reportsNaming(
  { deviceId, boot, sent, executed }: NamedIds,
  numberOf: (boot: string) => number,
  text: string,
): { readonly [R in DeviceReport]: () => ReportBodies[R] } {
  const named = { boot, deviceId, device: { id: deviceId }, topic: `v1/devices/${deviceId}/acks` };
  const event =
    <D extends object>(data: D) =>
    (): typeof named & { seq: number; data: D & { deviceId: string } } => ({
      ...named,
      seq: numberOf(boot),
      data: { ...data, deviceId },
    });
  return {
    device_register: () => ({
      ...named,
      uptimeMs: uptimeMs(),
      lockState: 'unlocked',
      doorState: 'ajar',
      firmwareVersion: text,
    }),
    device_heartbeat: () => ({ ...named, uptimeMs: uptimeMs(), battery: 3, rssi: -3 }),
    door_status_changed: event({ lockState: 'unlocked', doorState: 'open', commandId: executed, cause: text }),
    motion_detected: event({ zone: text }),
    snapshot_ready: event({ reference: text, commandId: executed }),
    low_battery: event({ battery: 2 }),
    error_occurred: event({ errorCode: 'E7', errorMessage: text }),
    settings_updated: event({ version: 0, settings: { custom: { text } } }),
    custom: event({ text }),
    command_ack: () => ({ ...named, commandId: sent, status: 'executed', result: { text } }),
  };
}

/** The same as MQTT carries it. */
export function uplinksNaming(
  ids: NamedIds,
  numberOf: (boot: string) => number,
  text: string,
): { readonly [C in UplinkChannel]: () => DeviceMessages[C] } {
  const reports = reportsNaming(ids, numberOf, text);
  return {
    status: () => ({ ...reports.device_register(), online: true }),
    heartbeat: reports.device_heartbeat,
    events: () =>
      (Object.keys(EVENT_OF_REPORT) as EventReport[]).map((report) => ({
        ...reports[report](),
        type: EVENT_OF_REPORT[report],
      })),
    acks: reports.command_ack,
  };
}
