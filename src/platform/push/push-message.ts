/** What is shown to one person, by whatever service. */
export interface PushMessage {
  /** The same at every attempt. */
  readonly id: string;
  readonly title: string;
  readonly body: string;
  /** Where a click leads. */
  readonly url: string | null;
  readonly isUrgent: boolean;
  /** For how long a service keeps it for a target that is off. */
  readonly ttlS: number;
  /** A later message with the same key takes the place of this one; null: only another attempt does. */
  readonly collapseKey: string | null;
  readonly data: Readonly<Record<string, string>>;
}

/** Four weeks: no service keeps a message longer. */
const MAX_TTL_S = 2_419_200;
const ELLIPSIS = '…';

export function ttlOf({ ttlS }: PushMessage): number {
  return Math.min(MAX_TTL_S, Math.max(0, Math.floor(ttlS)));
}

/** By which services tell messages that replace each other. */
export function collapseKeyOf({ collapseKey, id }: PushMessage): string {
  return collapseKey ?? id;
}

/** What services, and the code that shows the message, are given of it. */
export function contentOf({ id, title, body, url, data }: PushMessage): Readonly<Record<string, unknown>> {
  return { id, title, body, url, data };
}

/**
 * The payload of a message, whose text is cut where the payload would be longer than a service takes. Null: it would be so without
 * any text.
 */
export function payloadWithin(
  maxBytes: number,
  message: PushMessage,
  write: (message: PushMessage) => unknown,
): string | null {
  const written = (body: string): string => JSON.stringify(write({ ...message, body }));
  const whole = written(message.body);
  if (Buffer.byteLength(whole) <= maxBytes) {
    return whole;
  }
  const letters = Array.from(message.body);
  const fits = (count: number): boolean =>
    Buffer.byteLength(written(letters.slice(0, count).join('') + ELLIPSIS)) <= maxBytes;
  let [least, most] = [0, letters.length];
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    [least, most] = fits(middle) ? [middle, most] : [least, middle - 1];
  }
  return fits(least) ? written(letters.slice(0, least).join('') + ELLIPSIS) : null;
}
