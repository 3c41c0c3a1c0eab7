import { applyDecorators } from '@nestjs/common';
import { IsInt, Matches, Max, Min } from 'class-validator';
import { UPLINK_LIMITS } from '../../contracts/uplinks.js';
import { Reading } from './reading.decorator.js';

const [shortest, longest] = UPLINK_LIMITS.bootLength;
const BOOT = new RegExp(`^[\\w-]{${String(shortest)},${String(longest)}}$`);

/** The random id that a device makes at every start. */
export function IsBoot(): PropertyDecorator {
  return Matches(BOOT, {
    message: `takes ${String(shortest)} to ${String(longest)} letters, digits, _ and -`,
  });
}

/** A whole number, from zero on, that a double holds exactly, such as a number of bytes. */
export function IsCount(): PropertyDecorator {
  return applyDecorators(IsInt(), Min(0), Max(Number.MAX_SAFE_INTEGER));
}

/**
 * Milliseconds since the start of the device. Many clocks have fractions of them. They are cut off, because a deadline by
 * a lower uptime is too short, never too long.
 */
export function Uptime(): PropertyDecorator {
  return applyDecorators(Reading({ whole: 'floored' }), IsCount());
}
