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

/** What Firebase gave an app. */
export function IsFcmToken(): PropertyDecorator {
  return spelledBy('isFcmToken', (text) => (isFcmToken(text) ? text : null), 'must be a registration token of FCM', {
    example: 'fGcDQ2bTRk2n0P3yT5lqVw:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx',
    maxLength: 1_024,
  });
}

/** What Apple gave an app, which is read in small letters. */
export function IsApnsToken(): PropertyDecorator {
  return spelledBy('isApnsToken', canonicalApnsToken, 'must be a token of APNs: 64 hexadecimal digits or more', {
    example: '00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0',
    maxLength: 200,
  });
}

function spelledBy(
  name: string,
  canonical: (text: string) => string | null,
  fault: string,
  property: Pick<ApiPropertyOptions, 'example' | 'maxLength'>,
): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? (canonical(value) ?? value) : value)),
    ValidateBy({
      name,
      validator: {
        validate: (value) => typeof value === 'string' && canonical(value) !== null,
        defaultMessage: () => fault,
      },
    }),
    ApiProperty({ type: String, ...property }),
  );
}
