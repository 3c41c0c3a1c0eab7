import { type EventFrame, type FeedEvent, type FeedMessage, type FrameColumn } from '../../../contracts/realtime.js';

/** An event with the name of the message that would carry it alone. */
export interface NamedMessage {
  readonly event: FeedEvent;
  readonly message: FeedMessage;
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
const OF_ID = /^(user|device):(.{36})$/;
/** What stands for a reference, or is doubled in a text that begins with it. */
const MARK = '~';

/** Gives each distinct value a number, in the order of their first appearance. */
class Dictionary {
  readonly #numbers = new Map<string, number>();

  get values(): string[] {
    return [...this.#numbers.keys()];
  }

  numberOf(value: string): number {
    const number = this.#numbers.get(value) ?? this.#numbers.size;
    this.#numbers.set(value, number);
    return number;
  }
}

/**
 * Many events as one message: each member of them is a column, a column of equal values is that value, and what repeats or is long
 * stands in a list that the columns refer to. docs/realtime.md has the decoder.
 */
export function toEventFrame(events: readonly NamedMessage[]): EventFrame {
  const [ids, types, shapes] = [new Dictionary(), new Dictionary(), new Dictionary()];
  const messages = events.map(({ message }) => message);
  const places = messages.map(({ cursor, id }) => ({ ...placeOf(cursor), eventId: BigInt(id) }));
  const base = places[0] ?? { generation: '', xid: 0n, eventId: 0n };
  const since = Date.parse(messages[0]?.receivedAt ?? '');
  const idOf = (id: string | null): number | null => (id === null ? null : ids.numberOf(id));
  return {
    from: `${base.generation}.${String(base.xid)}.${String(base.eventId)}`,
    since,
    xid: column(places.map(({ xid }, n) => Number(xid - (places[n - 1] ?? base).xid))),
    id: column(places.map(({ eventId }, n) => Number(eventId - (places[n - 1] ?? base).eventId))),
    cursor: column(messages.map(({ cursor, id }, n) => (isOwnCursor(cursor, places[n]?.xid, id) ? 0 : cursor))),
    type: column(
      events.map(({ event, message: { type } }) => types.numberOf(event === type ? type : `${event}:${type}`)),
    ),
    device: column(messages.map(({ deviceId }) => idOf(deviceId))),
    command: column(messages.map(({ commandId }) => idOf(commandId))),
    actor: column(messages.map(({ actor, deviceId }) => actorOf(actor, deviceId, ids))),
    received: column(messages.map(({ receivedAt }) => timeSince(since, receivedAt))),
    occurred: column(messages.map(({ receivedAt, occurredAt }) => timeSince(Date.parse(receivedAt), occurredAt))),
    version: column(messages.map(({ version }) => version)),
    payload: messages.map(({ payload }) => rowOf(payload, shapes, ids)),
    types: types.values,
    shapes: shapes.values.map((shape) => JSON.parse(shape) as string[]),
    ids: ids.values.map(shortened),
  };
}

function column<T extends string | number | null>(values: readonly T[]): FrameColumn<T> {
  const [first] = values;
  return first !== undefined && values.every((value) => value === first) ? first : values;
}

/** A cursor is `generation.xid.id` in base64url, of which the id is the event's own, unless it points at the horizon. */
function placeOf(cursor: string): { readonly generation: string; readonly xid: bigint } {
  const [generation = '', xid = ''] = Buffer.from(cursor, 'base64url').toString('latin1').split('.');
  return { generation, xid: BigInt(xid) };
}

function isOwnCursor(cursor: string, xid: bigint | undefined, id: string): boolean {
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  return text.endsWith(`.${String(xid)}.${id}`);
}

/** `0` for the device of the event; a reference to another id; else the text itself. */
function actorOf(actor: string, deviceId: string | null, ids: Dictionary): string | number {
  const [, kind = '', id = ''] = OF_ID.exec(actor) ?? [];
  if (kind === 'device' && id === deviceId) {
    return 0;
  }
  return UUID.test(id) ? `${kind}:${String(ids.numberOf(id))}` : actor;
}

/** In milliseconds; a time that is written otherwise than ours stays as it is. */
function timeSince(base: number, time: string): string | number {
  const at = Date.parse(time);
  return Number.isFinite(at) && new Date(at).toISOString() === time ? at - base : time;
}

function rowOf(payload: object, shapes: Dictionary, ids: Dictionary): unknown[] {
  const entries = Object.entries(payload);
  const shape = shapes.numberOf(JSON.stringify(entries.map(([name]) => name)));
  return [
    shape,
    ...entries.map(([, value]) => (typeof value === 'string' ? referenceTo(value, ids) : (value as unknown))),
  ];
}

function referenceTo(text: string, ids: Dictionary): string {
  if (UUID.test(text)) {
    return `${MARK}${String(ids.numberOf(text))}`;
  }
  return text.startsWith(MARK) ? `${MARK}${text}` : text;
}

/** The bytes of an id in base64url: 22 characters in place of 36. */
function shortened(id: string): string {
  return UUID.test(id) ? Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url') : id;
}
