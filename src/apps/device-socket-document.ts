import type { Type } from '@nestjs/common';
import {
  DEVICE_NOTICES,
  DEVICE_ORDERS,
  DEVICE_REPORTS,
  DEVICE_SOCKET_PATH,
  type DeviceReport,
  EVENT_OF_REPORT,
  type EventReport,
} from '../contracts/device-sockets.js';
import type { EventType } from '../contracts/events.js';
import { CONTROL_DTOS, PART_DTOS } from '../features/realtime/realtime.dto.js';
import { RefusedDto } from '../features/realtime/realtime-requests.dto.js';
import { DeviceHandshakeDto } from '../platform/realtime/devices/device-handshake.dto.js';
import { DEVICE_MESSAGE_DTOS, ReportTakenDto } from './device-messages.dto.js';
import {
  type AsyncChannel,
  asyncMessage,
  type AsyncOperation,
  inPascalCase,
  mapped,
  operationsOn,
  schemaNamed,
} from './async-api.js';
import type { JsonSchema } from './json-schema.js';

const EVENT_REPORTS = Object.keys(EVENT_OF_REPORT) as EventReport[];

const NOTICE_DTOS = { ...CONTROL_DTOS, update_settings: DEVICE_MESSAGE_DTOS.settings };

/** The classes that document what is said on sockets of devices. */
export const DEVICE_DTOS: readonly Type[] = [DeviceHandshakeDto, ReportTakenDto, ...Object.values(DEVICE_MESSAGE_DTOS)];

/** Sockets of devices. */
export function deviceChannel(): AsyncChannel & Readonly<Record<string, unknown>> {
  return {
    address: '/',
    title: 'Device',
    description: `The main namespace of Socket.IO on the path \`${DEVICE_SOCKET_PATH}\`, over WebSocket alone. docs/protocol.md says how a device uses it.`,
    messages: {
      connect: asyncMessage(
        'connect',
        'The handshake: `auth` of the packet that opens the namespace.',
        DeviceHandshakeDto,
      ),
      connect_error: asyncMessage('connect_error', 'The handshake was refused; this is its `data`.', PART_DTOS.problem),
      ...mapped(DEVICE_REPORTS, (name, summary) => ({ name, summary, payload: schemaNamed(schemaOfReport(name)) })),
      acknowledgement: {
        name: 'acknowledgement',
        summary: 'Of any report: it was taken, or refused.',
        payload: { oneOf: [schemaNamed(ReportTakenDto.name), schemaNamed(RefusedDto.name)] },
      },
      ...mapped(DEVICE_ORDERS, (name, summary) => asyncMessage(name, summary, DEVICE_MESSAGE_DTOS.order)),
      ...mapped(DEVICE_NOTICES, (name, summary) => asyncMessage(name, summary, NOTICE_DTOS[name])),
    },
  };
}

/** Names that dashboards have, too, say whose they are. */
export function deviceOperations(): Record<string, AsyncOperation> {
  const of = operationsOn('device');
  const operations: [string, AsyncOperation][] = [
    ['connect_device', of.receive('Connects a device, or tells it why not.', 'connect', 'connect_error')],
    ...Object.entries(DEVICE_REPORTS).map(([name, summary]): [string, AsyncOperation] => [
      `report_${name}`,
      of.receive(summary, name, 'acknowledgement'),
    ]),
    ...Object.entries({ ...DEVICE_ORDERS, ...DEVICE_NOTICES }).map(([name, summary]): [string, AsyncOperation] => [
      `tell_device_${name}`,
      of.send(name, summary),
    ]),
  ];
  return Object.fromEntries(operations);
}

/** One for each event, whose name decides what `data` has. */
export function deviceSchemas(payloadOf: (type: EventType) => Type): Record<string, JsonSchema> {
  return Object.fromEntries(
    EVENT_REPORTS.map((name): [string, JsonSchema] => [
      schemaOfReport(name),
      {
        allOf: [
          schemaNamed(DEVICE_MESSAGE_DTOS.event.name),
          {
            type: 'object',
            required: ['data'],
            properties: { data: schemaNamed(payloadOf(EVENT_OF_REPORT[name]).name) },
          },
        ],
      },
    ]),
  );
}

function schemaOfReport(name: DeviceReport): string {
  const { birth, heartbeat, ack } = DEVICE_MESSAGE_DTOS;
  const alone: Partial<Record<DeviceReport, string>> = {
    device_register: birth.name,
    device_heartbeat: heartbeat.name,
    command_ack: ack.name,
  };
  return alone[name] ?? `${inPascalCase(name)}Report`;
}
