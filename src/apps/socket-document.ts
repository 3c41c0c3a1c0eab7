import type { INestApplication, Type } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { AppConfig } from '../config/app-config.js';
import { EVENT_TYPES, type EventType } from '../contracts/events.js';
import {
  CONTROL_MESSAGES,
  type ControlEvent,
  DASHBOARD_REQUESTS,
  type DashboardRequest,
  FEED_MESSAGES,
  type FeedEvent,
  SOCKET_EVENTS,
} from '../contracts/realtime.js';
import { AcceptedDto, CONTROL_DTOS, PART_DTOS, RefusedDto, REQUEST_DTOS } from '../features/realtime/realtime.dto.js';
import { RealtimeModule } from '../features/realtime/realtime.module.js';
import { EventTypeRegistry } from '../platform/events/event-type-registry.js';
import { httpProblems } from '../platform/http/problems/http-problems.js';
import { type JsonSchema, jsonSchemaOf } from './json-schema.js';

const PATH = '/api/docs/asyncapi.json';
const CHANNEL = '#/channels/dashboard';

interface Reference {
  readonly $ref: string;
}
interface Message {
  readonly name: string;
  readonly summary: string;
  readonly payload: Reference | { readonly oneOf: readonly Reference[] };
}
interface Operation {
  /** As the server sees it. */
  readonly action: 'send' | 'receive';
  readonly channel: Reference;
  readonly summary: string;
  readonly messages: readonly Reference[];
  readonly reply?: { readonly channel: Reference; readonly messages: readonly Reference[] };
}

/** AsyncAPI 3.0, as far as it is used here. */
export interface SocketDocument {
  readonly asyncapi: '3.0.0';
  readonly channels: { readonly dashboard: { readonly messages: Readonly<Record<string, Message>> } };
  readonly operations: Readonly<Record<string, Operation>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>>; readonly securitySchemes: object };
}

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
        'The live feed of dashboards, over Socket.IO (protocol 5, Engine.IO 4). Each message is an event of Socket.IO with ' +
        'the name of the message and one argument, its payload; `docs/realtime.md` says how to use them.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: { installation: serverOf(app.get(AppConfig).http.publicUrl) },
    channels: { dashboard: channelOf() },
    operations: operationsOf(),
    components: { schemas: schemasOf(app), securitySchemes: { accessToken: ACCESS_TOKEN } },
  };
}

const ACCESS_TOKEN = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description: 'The access token, as `auth.token` of the handshake of Socket.IO.',
};

function serverOf(publicUrl: string): object {
  const { host, protocol } = new URL(publicUrl);
  return {
    host,
    pathname: '/socket.io/',
    protocol: protocol === 'https:' ? 'wss' : 'ws',
    description: 'WebSocket, or long polling where a balancer sends each client to one process.',
    security: [{ $ref: '#/components/securitySchemes/accessToken' }],
  };
}

function channelOf(): SocketDocument['channels']['dashboard'] & Readonly<Record<string, unknown>> {
  return {
    address: '/',
    title: 'Dashboard',
    description: 'The main namespace of Socket.IO; there is no other.',
    messages: {
      connect: message('connect', 'The handshake: `auth` of the packet that opens the namespace.', PART_DTOS.handshake),
      connect_error: message('connect_error', 'The handshake was refused; this is its `data`.', PART_DTOS.problem),
      ...mapped(DASHBOARD_REQUESTS, (name, summary) => message(name, summary, REQUEST_DTOS[name])),
      acknowledgement: {
        name: 'acknowledgement',
        summary: 'Of any request: it was carried out, or refused.',
        payload: { oneOf: [schemaNamed(AcceptedDto.name), schemaNamed(RefusedDto.name)] },
      },
      ...mapped(FEED_MESSAGES, (name, summary) => ({ name, summary, payload: feedPayload(name) })),
      ...mapped(CONTROL_MESSAGES, (name, summary) => message(name, summary, CONTROL_DTOS[name])),
    },
  };
}

function operationsOf(): SocketDocument['operations'] {
  const channel = { $ref: CHANNEL };
  const receive = (summary: string, name: string, answer: string): Operation => ({
    action: 'receive',
    channel,
    summary,
    messages: [messageNamed(name)],
    reply: { channel, messages: [messageNamed(answer)] },
  });
  const send = (name: FeedEvent | ControlEvent, summary: string): Operation => ({
    action: 'send',
    channel,
    summary,
    messages: [messageNamed(name)],
  });
  return {
    connect: receive('Connects a dashboard, or tells it why not.', 'connect', 'connect_error'),
    ...mapped<DashboardRequest, Operation>(DASHBOARD_REQUESTS, (name, summary) =>
      receive(summary, name, 'acknowledgement'),
    ),
    ...mapped<FeedEvent, Operation>(FEED_MESSAGES, send),
    ...mapped<ControlEvent, Operation>(CONTROL_MESSAGES, send),
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
    ...fed.map((type) => registry.payloadOf(type)),
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
  return Object.fromEntries([...schemas, ...messages]);
}

/** Every code that a problem can have. */
function withCodes(schema: object): object {
  const { properties } = schema as { readonly properties?: Readonly<Record<string, object>> };
  const codes = httpProblems().map(({ code }) => code);
  return properties?.code
    ? { ...schema, properties: { ...properties, code: { ...properties.code, enum: codes } } }
    : schema;
}

function feedPayload(event: FeedEvent): Message['payload'] {
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
  const words = type.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join('')}Message`;
}

function message(name: string, summary: string, payload: { readonly name: string }): Message {
  return { name, summary, payload: schemaNamed(payload.name) };
}

function messageNamed(name: string): Reference {
  return { $ref: `${CHANNEL}/messages/${name}` };
}

function schemaNamed(name: string): Reference {
  return { $ref: `#/components/schemas/${name}` };
}

function mapped<K extends string, V>(
  texts: Readonly<Record<K, string>>,
  valueOf: (name: K, text: string) => V,
): Record<K, V> {
  const entries = (Object.keys(texts) as K[]).map((name) => [name, valueOf(name, texts[name])] as const);
  return Object.fromEntries(entries) as Record<K, V>;
}
