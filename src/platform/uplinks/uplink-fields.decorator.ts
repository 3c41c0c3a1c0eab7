import { applyDecorators } from '@nestjs/common';
import { IsInt, Matches, Max, Min } from 'class-validator';
import { UPLINK_LIMITS } from '../../contracts/uplinks.js';

const [shortest, longest] = UPLINK_LIMITS.bootLength;
const BOOT = new RegExp(`^[\\w-]{${String(shortest)},${String(longest)}}$`);

/** The random id that a device makes at every start. */
export function IsBoot(): PropertyDecorator {
  return Matches(BOOT, {
    message: `$property takes ${String(shortest)} to ${String(longest)} letters, digits, _ and -`,
  });
}

/** A whole number, from zero on, that a double holds exactly, such as milliseconds since a start. */
export function IsCount(): PropertyDecorator {
  return applyDecorators(IsInt(), Min(0), Max(Number.MAX_SAFE_INTEGER));
}
