import { applyDecorators, type Type } from '@nestjs/common';
import { ValidateNested } from 'class-validator';
import { HoldsObjects } from '../http/validation/nested-class.js';

/** A list of objects in an uplink, each read by its own DTO. */
export function Parts(partOf: () => Type): PropertyDecorator {
  return applyDecorators(ValidateNested({ each: true }), HoldsObjects(partOf));
}
