import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import { AppConfig } from '../../config/app-config.js';
import { Public } from '../../platform/auth/authorize.decorator.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';
import { Clock } from '../../shared/clock.js';
import { NoSecurityContactError } from './web-security.errors.js';

const DAY_MS = 86_400_000;
/** RFC 9116, section 2.5.5: less than a year. What is served is of today, so readers ask again before. */
const VALID_DAYS = 90;

@ApiTags('Operations')
@Controller('.well-known/security.txt')
export class SecurityTxtController {
  constructor(
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  /** Where to report a weakness of this installation (RFC 9116). 404 where its operator has set no `SECURITY_CONTACT`. */
  @Get()
  @Public()
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @Header('Cache-Control', 'public, max-age=86400')
  @ApiProduces('text/plain')
  @ApiOkResponse({
    content: {
      'text/plain': {
        schema: {
          type: 'string',
          example: 'Contact: mailto:security@example.com\r\nExpires: 2027-02-18T00:00:00.000Z\r\n',
        },
      },
    },
  })
  @Refuses(NoSecurityContactError)
  read(): string {
    const { publicUrl, securityContacts } = this.config.http;
    if (securityContacts.length === 0) {
      throw new NoSecurityContactError();
    }
    const today = Math.floor(this.clock.now() / DAY_MS);
    const lines = [
      ...securityContacts.map((contact) => `Contact: ${contact}`),
      `Expires: ${new Date((today + VALID_DAYS) * DAY_MS).toISOString()}`,
      `Canonical: ${publicUrl.replace(/\/+$/, '')}/.well-known/security.txt`,
    ];
    return lines.map((line) => `${line}\r\n`).join('');
  }
}
