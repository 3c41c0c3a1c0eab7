import type { JsonSchema } from './json-schema.js';

export interface Reference {
  readonly $ref: string;
}

export interface AsyncMessage {
  readonly name: string;
  readonly summary: string;
  readonly payload: Reference | { readonly oneOf: readonly Reference[] };
}

export interface AsyncOperation {
  /** As the server sees it. */
  readonly action: 'send' | 'receive';
  readonly channel: Reference;
  readonly summary: string;
  readonly messages: readonly Reference[];
  readonly reply?: { readonly channel: Reference; readonly messages: readonly Reference[] };
}

export type SocketChannel = 'dashboard' | 'device';

/** One path of sockets with what is said there. */
export interface AsyncChannel {
  readonly messages: Readonly<Record<string, AsyncMessage>>;
}

/** AsyncAPI 3.0, as far as it is used here. */
export interface SocketDocument {
  readonly asyncapi: '3.0.0';
  readonly channels: Readonly<Record<SocketChannel, AsyncChannel>>;
  readonly operations: Readonly<Record<string, AsyncOperation>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>>; readonly securitySchemes: object };
}

/** Makes the operations of one channel, by the names of their messages. */
export interface ChannelOperations {
  receive(summary: string, name: string, answer: string): AsyncOperation;
  send(name: string, summary: string): AsyncOperation;
}

export function operationsOn(name: SocketChannel): ChannelOperations {
  const channel = { $ref: `#/channels/${name}` };
  const messageNamed = (message: string): Reference => ({ $ref: `#/channels/${name}/messages/${message}` });
  return {
    receive: (summary, message, answer) => ({
      action: 'receive',
      channel,
      summary,
      messages: [messageNamed(message)],
      reply: { channel, messages: [messageNamed(answer)] },
    }),
    send: (message, summary) => ({ action: 'send', channel, summary, messages: [messageNamed(message)] }),
  };
}

export function asyncMessage(name: string, summary: string, payload: { readonly name: string }): AsyncMessage {
  return { name, summary, payload: schemaNamed(payload.name) };
}

export function schemaNamed(name: string): Reference {
  return { $ref: `#/components/schemas/${name}` };
}

export function mapped<K extends string, V>(
  texts: Readonly<Record<K, string>>,
  valueOf: (name: K, text: string) => V,
): Record<K, V> {
  const entries = (Object.keys(texts) as K[]).map((name) => [name, valueOf(name, texts[name])] as const);
  return Object.fromEntries(entries) as Record<K, V>;
}

/** `door_status_changed` is `DoorStatusChanged`. */
export function inPascalCase(name: string): string {
  return name
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
