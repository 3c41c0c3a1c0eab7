import { ApiProperty } from '@nestjs/swagger';
import type { HttpProblem } from '../../platform/http/problems/http-problems.js';

/** A kind of problem (RFC 9457): what the refusals with one code have in common. */
export class ProblemTypeDto {
  /** The address of this description, as in the member `type` of a refusal. */
  @ApiProperty({ format: 'uri', example: 'https://doors.example.com/problems/device_offline' })
  type!: string;

  /** As in the member `code` of a refusal: stable, snake_case. */
  @ApiProperty({ example: 'device_offline' })
  code!: string;

  /** HTTP status code. */
  @ApiProperty({ example: 409, minimum: 400, maximum: 599 })
  status!: number;

  /** The HTTP status in words. */
  @ApiProperty({ example: 'Conflict' })
  title!: string;

  /** What the refusal says. */
  @ApiProperty({ example: 'The device has no live connection.' })
  meaning!: string;

  /** How a client comes to get it. */
  @ApiProperty({
    example: 'It has no power or no network, and a command that opens a door must not wait for it.',
  })
  cause!: string;

  /** What to do about it. */
  @ApiProperty({ example: 'Tell the user that the device cannot be reached.' })
  cure!: string;
}

export class ProblemTypeListDto {
  @ApiProperty({ type: [ProblemTypeDto] })
  items!: ProblemTypeDto[];
}

/** @param base the address that a code is put behind */
export function toProblemTypeDto(
  { code, status, title, meaning, cause, cure }: HttpProblem,
  base: string,
): ProblemTypeDto {
  return { type: base + code, code, status, title, meaning, cause, cure };
}
