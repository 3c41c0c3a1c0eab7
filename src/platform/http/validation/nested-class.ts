import type { Type as Class } from '@nestjs/common';

const NESTED = Symbol('nested class');

/** Notes the class of the objects in a member. */
export function HoldsObjects(of: () => Class): PropertyDecorator {
  return Reflect.metadata(NESTED, of);
}

/** The class of the object, or of those in the list, that a member is; undefined for every other member. */
export function nestedClass({ prototype }: Class, member: string): Class | undefined {
  return (Reflect.getMetadata(NESTED, prototype as object, member) as (() => Class) | undefined)?.();
}
