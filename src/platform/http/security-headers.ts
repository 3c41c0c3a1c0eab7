import helmet from '@fastify/helmet';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppConfig } from '../../config/app-config.js';

/** Where browsers tell what the policy forbade. */
const CSP_REPORTS = '/api/v1/csp-reports';
const ONE_YEAR_SECONDS = 31_536_000;
/** Of what a browser could lend to a page: nothing. */
const PERMISSIONS = 'accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()';

/** What OWASP's list of security headers asks for. */
export async function registerSecurityHeaders(app: NestFastifyApplication): Promise<void> {
  await app.register(helmet, {
    hsts: { maxAge: ONE_YEAR_SECONDS, includeSubDomains: true },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    contentSecurityPolicy: false,
  });

  const fastify = app.getHttpAdapter().getInstance();
  const policy = `${app.get(AppConfig).http.contentSecurityPolicy.replace(/[;\s]+$/, '')}; report-uri ${CSP_REPORTS}`;
  fastify.addHook('onRequest', (_request, reply, done) => {
    void reply.header('Content-Security-Policy', policy).header('Permissions-Policy', PERMISSIONS);
    done();
  });
}
