import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsOptional } from 'class-validator';
import { tidy, type Tidying } from './tidy.js';

const readings = new WeakMap<object, Set<PropertyKey>>();

/**
 * A member of an uplink that only informs, such as a signal strength. What is no good is dropped and counted, and the
 * message counts without it. `null` counts as left out. A member without this decorator is strict: a message without a
 * good one is refused.
 * @param tidying what is done to a value before it is judged by the other decorators
 */
export function Reading(tidying: Tidying = {}): PropertyDecorator {
  return applyDecorators(
    IsOptional(),
    Transform(({ value }) => tidy(value, tidying)),
    (prototype: object, field: PropertyKey) => {
      readings.set(prototype, (readings.get(prototype) ?? new Set()).add(field));
    },
  );
}

/** Whether a member of this instance of a DTO is a reading, by its class or one that this extends. */
export function isReading(instance: object, field: PropertyKey): boolean {
  for (
    let type = Object.getPrototypeOf(instance) as object | null;
    type;
    type = Object.getPrototypeOf(type) as object | null
  ) {
    if (readings.get(type)?.has(field)) {
      return true;
    }
  }
  return false;
}
