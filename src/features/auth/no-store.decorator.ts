import { Header } from '@nestjs/common';

/** Tokens must not linger in caches (RFC 6749, section 5.1). */
export const NoStore = (): MethodDecorator => Header('Cache-Control', 'no-store');
