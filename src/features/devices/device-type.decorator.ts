import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, ValidateBy } from 'class-validator';
import { DEVICE_TYPES } from '../../contracts/devices.js';
import { deviceTypeOf, unknownType, unlistedType } from './domain/device-types.js';

/** A type of device. A usual other name of one is refused with the type that it means. */
export function IsDeviceType(): PropertyDecorator {
  return IsIn(DEVICE_TYPES, { message: ({ value }) => unlistedType(value) });
}

/** A type of device, also by what other backends call it. */
export function IsDeviceTypeName(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? (deviceTypeOf(value) ?? value) : value)),
    ValidateBy({
      name: 'isDeviceType',
      validator: {
        validate: (value) => typeof value === 'string' && deviceTypeOf(value) !== undefined,
        defaultMessage: (asked) => unknownType(asked?.value),
      },
    }),
    ApiProperty({ enum: DEVICE_TYPES, required: false }),
  );
}
