import { type ArgumentMetadata, Injectable, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validate, type ValidationError } from 'class-validator';
import { fieldFaults } from '../http/validation/field-faults.js';
import { nestedClass } from '../http/validation/nested-class.js';
import { assertListsInBounds, InvalidRequestError } from '../http/validation/validation.js';
import { RejectedMessages } from '../mqtt/rejected-messages.js';
import { isReading } from './reading.decorator.js';
import type { ReceivedUplink } from './received-uplink.js';

/**
 * Reads what a device says with tolerance, because firmware in the field is not mended by refusing it: members that
 * the DTO does not know are ignored, a bad `@Reading` is dropped and counted. Every other fault refuses the message.
 */
@Injectable()
export class UplinkPipe implements PipeTransform<ReceivedUplink, Promise<object>> {
  constructor(private readonly refusals: RejectedMessages) {}

  /** @throws InvalidRequestError */
  async transform({ topic, payload }: ReceivedUplink, { metatype }: ArgumentMetadata): Promise<object> {
    if (!metatype) {
      throw new Error('An uplink needs a DTO.');
    }
    assertListsInBounds(metatype, payload);
    const message = toInstance(metatype, isObject(payload) ? payload : {});
    const errors = await validate(message, { whitelist: true, forbidUnknownValues: true });
    const { faults, readings } = sort(errors);
    if (faults.length > 0) {
      throw new InvalidRequestError(fieldFaults(faults, payload));
    }
    for (const { target, property } of readings) {
      Reflect.deleteProperty(target ?? {}, property);
      this.refusals.reading(topic, property);
    }
    return message;
  }
}

/**
 * Only members that the DTO declares, and objects and lists among them as they are: class-transformer breaks at a
 * member named `constructor`, and loses those with other names that objects inherit.
 */
function toInstance(dto: Type, payload: object): object {
  const simple: Record<string, unknown> = {};
  const compound: Record<string, unknown> = {};
  const declared = new Set(membersOf(dto));
  for (const [name, value] of Object.entries(payload).filter(([each]) => declared.has(each))) {
    const part = nestedClass(dto, name);
    if (part && Array.isArray(value)) {
      compound[name] = value.map((item: unknown) => (isObject(item) ? toInstance(part, item) : item));
    } else {
      (typeof value === 'object' && value !== null ? compound : simple)[name] = value;
    }
  }
  return Object.assign(plainToInstance(dto, simple) as object, compound);
}

function membersOf(dto: Type): string[] {
  return getMetadataStorage()
    .getTargetValidationMetadatas(dto, '', false, false)
    .map(({ propertyName }) => propertyName);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Sorts errors into those that refuse the message and those of readings, at any depth. */
function sort(errors: readonly ValidationError[]): { faults: ValidationError[]; readings: ValidationError[] } {
  const faults: ValidationError[] = [];
  const readings: ValidationError[] = [];
  for (const error of errors) {
    const inner = sort(error.children ?? []);
    readings.push(...inner.readings);
    if (error.constraints || inner.faults.length > 0) {
      const isDropped = error.target && isReading(error.target, error.property);
      (isDropped ? readings : faults).push(Object.assign(error, { children: inner.faults }));
    }
  }
  return { faults, readings };
}
