import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** One fault in a request. */
export class FieldErrorDto {
  /** What is wrong with it. */
  @ApiProperty({ example: '`name` must have 1 to 100 characters' })
  detail!: string;

  /** JSON Pointer (RFC 6901) to the member at fault; the empty string is the whole body. */
  @ApiProperty({ example: '/name' })
  pointer!: string;
}

/** A refusal: an RFC 9457 problem document, served as `application/problem+json`. */
export class ProblemDto {
  /** Where this kind of problem is explained, in JSON or HTML. */
  @ApiProperty({ example: 'https://api.example.com/problems/device_offline' })
  type!: string;

  /** The HTTP status in words. */
  @ApiProperty({ example: 'Conflict' })
  title!: string;

  /** HTTP status code. */
  @ApiProperty({ example: 409 })
  status!: number;

  /** What happened this time, for people. */
  @ApiProperty({ example: 'The device has no live connection, and this command must not wait for one.' })
  detail!: string;

  /** What happened, for programs: stable, snake_case. */
  @ApiProperty({ example: 'device_offline' })
  code!: string;

  /** The request's `X-Request-Id`; quote it when you ask for help. */
  @ApiProperty({ example: '0198c1de-3f5b-7000-8000-3f3c0f6a7a55' })
  requestId!: string;

  /** RFC 3339. */
  @ApiProperty({ format: 'date-time', example: '2026-11-20T18:00:00.000Z' })
  timestamp!: string;

  /** The path that was asked for, without its query. */
  @ApiProperty({ example: '/api/v1/devices' })
  path!: string;

  /** Faults by field, where the body or the query was at fault. */
  @ApiPropertyOptional({ type: [FieldErrorDto] })
  errors?: FieldErrorDto[];

  /** Why the session is over: of codes about sessions. */
  @ApiPropertyOptional({ example: 'revoked' })
  reason?: string;

  /** What it takes: `admin`, or a permission of a resource. Of `forbidden`. */
  @ApiPropertyOptional({ example: 'device:control' })
  required?: string;

  /** Which limit of the device line: of `device_limited`. */
  @ApiPropertyOptional({ example: 'too_many_messages' })
  limit?: string;

  /** When it ends: of `unlock_restricted`. */
  @ApiPropertyOptional({ format: 'date-time', example: '2026-11-21T18:00:00.000Z' })
  until?: string;

  /** For one `POST /auth/complete-password-change`: of `password_change_required`. */
  @ApiPropertyOptional({ example: '3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' })
  changeToken?: string;
}
