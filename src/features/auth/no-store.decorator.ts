import { Header } from '@nestjs/common';

/** For answers with tokens, which caches must not store (RFC 6749, section 5.1). */
export const NoStore = (): MethodDecorator => Header('Cache-Control', 'no-store');
