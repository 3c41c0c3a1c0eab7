import { Injectable, type Type } from '@nestjs/common';
import type { Documented } from '../../shared/documented.js';
import { EVENT_TYPES, type EventPayloads, type EventType } from '../../contracts/events.js';

/** Event types of a feature, each with the class that documents its payload. */
export type EventDeclaration = { readonly [T in EventType]?: Type<EventPayloads[T]> };

/** Those of a declaration whose class says as much as the contract: `never` stands for a class that does not. */
export type CompleteEvents<D extends EventDeclaration> = {
  readonly [T in keyof D & EventType]: D[T] extends Type<infer C> ? Documented<EventPayloads[T], C, D[T]> : never;
};

/** Which feature's class documents each event type, registered through `EventsModule.forFeature`. */
@Injectable()
export class EventTypeRegistry {
  readonly #payloads = new Map<string, Type>();

  /** @throws when a type is registered already. */
  register(declaration: EventDeclaration): void {
    for (const [type, payload] of Object.entries(declaration)) {
      if (this.#payloads.has(type)) {
        throw new Error(`The event type "${type}" is registered twice.`);
      }
      this.#payloads.set(type, payload);
    }
  }

  /** The class that documents the payload of a type. @throws when no feature registered it */
  payloadOf(type: EventType): Type {
    const payload = this.#payloads.get(type);
    if (!payload) {
      throw new Error(`No feature registers the event type "${type}".`);
    }
    return payload;
  }

  /** Types of the contract that no feature registers. */
  unowned(): readonly EventType[] {
    return EVENT_TYPES.filter((type) => !this.#payloads.has(type));
  }
}
