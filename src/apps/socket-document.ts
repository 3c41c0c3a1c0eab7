import type { INestApplication, Type } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { AppConfig } from '../config/app-config.js';
import { DEVICE_EVENT_TYPES, EVENT_TYPES, type EventType } from '../contracts/events.js';
import {
  type AnsweredRequest,
  CONTROL_MESSAGES,
  type ControlEvent,
  DASHBOARD_REQUESTS,
  type DashboardRequest,
  FEED_MESSAGES,
  type FeedEvent,
  REQUEST_ANSWERS,
  SOCKET_EVENTS,
} from '../contracts/realtime.js';
import { CONTROL_DTOS, PART_DTOS } from '../features/realtime/realtime.dto.js';
import { ANSWER_DTOS, AcceptedDto, RefusedDto, REQUEST_DTOS } from '../features/realtime/realtime-requests.dto.js';
import { RealtimeModule } from '../features/realtime/realtime.module.js';
import { EventTypeRegistry } from '../platform/events/event-type-registry.js';
import { httpProblems } from '../platform/http/problems/http-problems.js';
import {
  type AsyncChannel,
  asyncMessage,
  type AsyncMessage,
  type AsyncOperation,
  inPascalCase,
  mapped,
  operationsOn,
  schemaNamed,
  type SocketDocument,
} from './async-api.js';
import { DEVICE_DTOS, deviceChannel, deviceOperations, deviceSchemas } from './device-socket-document.js';
import { type JsonSchema, jsonSchemaOf } from './json-schema.js';

const PATH = '/api/docs/asyncapi.json';

/** The AsyncAPI document of sockets, beside the OpenAPI document of HTTP. */
export function serveSocketDocument(app: INestApplication): void {
  let text: string | undefined;
  app.getHttpAdapter().get(PATH, (_request: unknown, reply: { type(type: string): { send(body: string): void } }) => {
    text ??= JSON.stringify(socketDocument(app));
    reply.type('application/json; charset=utf-8').send(text);
  });
}

/** Every message of a dashboard's socket, both ways: its names from the contract, its schemas from the classes held against it. */
export function socketDocument(app: INestApplication): SocketDocument & Readonly<Record<string, unknown>> {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Mortise sockets',
      version: '1',
      description:
        'The live feed of dashboards and the line of devices, over Socket.IO (protocol 5, Engine.IO 4). Each message is an ' +
        'event of Socket.IO with the name of the message and one argument, its payload; `docs/realtime.md` says how ' +
        'dashboards use them, and `docs/protocol.md` how devices do.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: { installation: serverOf(app.get(AppConfig).http.publicUrl) },
    channels: { dashboard: channelOf(), device: deviceChannel() },
    operations: { ...operationsOf(), ...deviceOperations() },
    components: { schemas: schemasOf(app), securitySchemes: { accessToken: ACCESS_TOKEN, deviceToken: DEVICE_TOKEN } },
  };
}

const ACCESS_TOKEN = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description: 'The access token, as `auth.token` of the handshake of Socket.IO.',
};

const DEVICE_TOKEN = {
  type: 'http',
  scheme: 'bearer',
  description: 'The token of a device, as `auth.token` of the handshake of Socket.IO.',
};

function serverOf(publicUrl: string): object {
  const { host, protocol } = new URL(publicUrl);
  return {
    host,
    pathname: '/socket.io/',
    protocol: protocol === 'https:' ? 'wss' : 'ws',
    description: 'WebSocket, or long polling where a balancer sends each client to one process.',
    security: ['accessToken', 'deviceToken'].map((name) => ({ $ref: `#/components/securitySchemes/${name}` })),
  };
}

function channelOf(): AsyncChannel & Readonly<Record<string, unknown>> {
  return {
    address: '/',
    title: 'Dashboard',
    description: 'The main namespace of Socket.IO on the path `/socket.io/`.',
    messages: {
      connect: asyncMessage(
        'connect',
        'The handshake: `auth` of the packet that opens the namespace.',
        PART_DTOS.handshake,
      ),
      connect_error: asyncMessage('connect_error', 'The handshake was refused; this is its `data`.', PART_DTOS.problem),
      ...mapped(DASHBOARD_REQUESTS, (name, summary) => asyncMessage(name, summary, REQUEST_DTOS[name])),
      acknowledgement: {
        name: 'acknowledgement',
        summary: 'Of a request: it was carried out, or refused.',
        payload: answered(AcceptedDto),
      },
      ...Object.fromEntries(
        Object.entries(REQUEST_ANSWERS).map(([request, summary]) => {
          const name = answerTo(request);
          return [name, { name, summary, payload: answered(ANSWER_DTOS[request as AnsweredRequest]) }];
        }),
      ),
      ...mapped(FEED_MESSAGES, (name, summary) => ({ name, summary, payload: feedPayload(name) })),
      ...mapped(CONTROL_MESSAGES, (name, summary) => asyncMessage(name, summary, CONTROL_DTOS[name])),
    },
  };
}

/** The message that answers a request. */
function answerTo(request: string): string {
  return request in REQUEST_ANSWERS ? `${request}_acknowledgement` : 'acknowledgement';
}

function answered(dto: { readonly name: string }): AsyncMessage['payload'] {
  return { oneOf: [schemaNamed(dto.name), schemaNamed(RefusedDto.name)] };
}

function operationsOf(): SocketDocument['operations'] {
  const of = operationsOn('dashboard');
  const send = (name: FeedEvent | ControlEvent, summary: string): AsyncOperation => of.send(name, summary);
  return {
    connect: of.receive('Connects a dashboard, or tells it why not.', 'connect', 'connect_error'),
    ...mapped<DashboardRequest, AsyncOperation>(DASHBOARD_REQUESTS, (name, summary) =>
      of.receive(summary, name, answerTo(name)),
    ),
    ...mapped<FeedEvent, AsyncOperation>(FEED_MESSAGES, send),
    ...mapped<ControlEvent, AsyncOperation>(CONTROL_MESSAGES, send),
  };
}

/** The schemas that the documented classes have, and one for each event type that the feed carries. */
function schemasOf(app: INestApplication): Record<string, JsonSchema> {
  const registry = app.get(EventTypeRegistry);
  const fed = EVENT_TYPES.filter((type) => SOCKET_EVENTS[type] !== null);
  const classes: Type[] = [
    PART_DTOS.handshake,
    PART_DTOS.feed,
    AcceptedDto,
    RefusedDto,
    ...Object.values<Type>(CONTROL_DTOS),
    ...Object.values<Type>(REQUEST_DTOS),
    ...Object.values<Type>(ANSWER_DTOS),
    ...fed.map((type) => registry.payloadOf(type)),
    ...DEVICE_EVENT_TYPES.map((type) => registry.payloadOf(type)),
    ...DEVICE_DTOS,
  ];
  // A module without controllers: what is asked for are the schemas alone.
  const { components } = SwaggerModule.createDocument(app, new DocumentBuilder().build(), {
    include: [RealtimeModule],
    extraModels: [...new Set(classes)],
  });
  const schemas = Object.entries(components?.schemas ?? {}).map(
    ([name, schema]) => [name, jsonSchemaOf(withCodes(schema))] as const,
  );
  const messages = fed.map((type) => [feedSchemaName(type), feedSchema(type, registry.payloadOf(type))] as const);
  return {
    ...Object.fromEntries([...schemas, ...messages]),
    ...deviceSchemas((type) => registry.payloadOf(type)),
  };
}

/** Every code that a problem can have. */
function withCodes(schema: object): object {
  const { properties } = schema as { readonly properties?: Readonly<Record<string, object>> };
  const codes = httpProblems().map(({ code }) => code);
  return properties?.code
    ? { ...schema, properties: { ...properties, code: { ...properties.code, enum: codes } } }
    : schema;
}

function feedPayload(event: FeedEvent): AsyncMessage['payload'] {
  const references = EVENT_TYPES.filter((type) => SOCKET_EVENTS[type] === event).map((type) =>
    schemaNamed(feedSchemaName(type)),
  );
  const [only] = references;
  return references.length === 1 && only ? only : { oneOf: references };
}

function feedSchema(type: EventType, payload: Type): JsonSchema {
  return {
    allOf: [
      schemaNamed(PART_DTOS.feed.name),
      {
        type: 'object',
        required: ['type', 'payload'],
        properties: { type: { type: 'string', const: type }, payload: schemaNamed(payload.name) },
      },
    ],
  };
}

/** `door_status_changed` is carried by a `DoorStatusChangedMessage`. */
function feedSchemaName(type: EventType): string {
  return `${inPascalCase(type)}Message`;
}
