import { applyDecorators, type Type as Class } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsArray, IsObject, ValidateNested } from 'class-validator';
import { HoldsObjects } from '../validation/nested-class.js';

/** A member that is an object of its own class. A list is none, although nothing in an empty one could be wrong. */
export function Nested(of: () => Class): PropertyDecorator {
  return applyDecorators(IsObject(), ValidateNested(), Type(of), HoldsObjects(of));
}

/** A member that is a list of objects of one class. */
export function NestedList(of: () => Class): PropertyDecorator {
  return applyDecorators(
    IsArray(),
    IsObject({ each: true }),
    ValidateNested({ each: true }),
    Type(of),
    HoldsObjects(of),
  );
}
