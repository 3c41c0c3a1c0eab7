import { applyDecorators, type Type } from '@nestjs/common';
import { ValidateNested } from 'class-validator';

const parts = new WeakMap<object, Map<string, () => Type>>();

/** A list of objects in an uplink, each read by its own DTO. */
export function Parts(partOf: () => Type): PropertyDecorator {
  return applyDecorators(ValidateNested({ each: true }), (prototype: object, field: PropertyKey) => {
    parts.set(prototype, (parts.get(prototype) ?? new Map<string, () => Type>()).set(String(field), partOf));
  });
}

/** The DTO of the objects in a list; undefined for every other member. */
export function partOf(dto: Type, field: string): Type | undefined {
  return parts.get(dto.prototype as object)?.get(field)?.();
}
