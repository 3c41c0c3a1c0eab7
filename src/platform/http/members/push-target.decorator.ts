import { applyDecorators } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import {
  canonicalApnsToken,
  canonicalPhoneNumber,
  canonicalPushKey,
  canonicalPushSecret,
  isFcmToken,
} from '../../../shared/push-targets.js';

/** A telephone number, which is read in its one spelling: E.164. */
export function IsE164(): PropertyDecorator {
  return spelledBy(
    'isE164',
    canonicalPhoneNumber,
    'must be a telephone number with its country, such as +4915112345678',
    {
      example: '+4915112345678',
      maxLength: 32,
    },
  );
}

/** `keys.p256dh` of a browser's subscription. */
export function IsPushKey(): PropertyDecorator {
  return spelledBy('isPushKey', canonicalPushKey, 'must be a public key of P-256: 65 bytes in base64url', {
    example: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    maxLength: 88,
  });
}

/** `keys.auth` of a browser's subscription. */
export function IsPushSecret(): PropertyDecorator {
  return spelledBy('isPushSecret', canonicalPushSecret, 'must be 16 bytes in base64url', {
    example: 'BTBZMqHH6r4Tts7J_aSIgg',
    maxLength: 24,
  });
}

/** What Google or Apple gave an app, by the `service` beside it; a token of APNs is read in small letters. */
export function IsPushToken(): PropertyDecorator {
  return spelledBy(
    'isPushToken',
    canonicalPushToken,
    'must be a registration token of FCM, or 64 or more hexadecimal digits of APNs',
    {
      example: 'fGcDQ2bTRk2n0P3yT5lqVw:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx',
      maxLength: 1_024,
    },
  );
}

function canonicalPushToken(text: string, { service }: { readonly service?: unknown }): string | null {
  if (service === 'apns') {
    return canonicalApnsToken(text);
  }
  return isFcmToken(text) ? text : null;
}

function spelledBy(
  name: string,
  canonical: (text: string, body: object) => string | null,
  fault: string,
  property: Pick<ApiPropertyOptions, 'example' | 'maxLength'>,
): PropertyDecorator {
  return applyDecorators(
    Transform(({ value, obj }: { value: unknown; obj: object }) =>
      typeof value === 'string' ? (canonical(value, obj) ?? value) : value,
    ),
    ValidateBy({
      name,
      validator: {
        validate: (value, body) => typeof value === 'string' && canonical(value, body?.object ?? {}) !== null,
        defaultMessage: () => fault,
      },
    }),
    ApiProperty({ type: String, ...property }),
  );
}
