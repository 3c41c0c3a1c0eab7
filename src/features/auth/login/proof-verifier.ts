import { Injectable, type OnModuleInit } from '@nestjs/common';
import { sha256 } from '../../../platform/crypto/digest.js';
import { type ProvingRequest, RequestProofRegistry } from '../../../platform/rate-limit/request-proof-registry.js';
import { canonicalIdentifier } from '../../../shared/identifiers.js';
import { CLIENT_TYPE_HEADER, REFRESH_COOKIE } from '../sessions/session-cookie.interceptor.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { KNOWN_DEVICE_COOKIE } from './known-device-cookie.interceptor.js';
import { KnownDevicesService } from './known-devices.service.js';

/** What may take the place of an access token: see `@ProvenBy`. */
export type ProofName = 'known_device' | 'refresh_token';

/**
 * Reads what shows that a request comes from the device of a resident, although its address is shared: the secret of a known
 * device at a login, and the refresh token of a session. Both are recognized without the database.
 */
@Injectable()
export class ProofVerifier implements OnModuleInit {
  constructor(
    private readonly registry: RequestProofRegistry,
    private readonly devices: KnownDevicesService,
    private readonly sessions: SessionsService,
  ) {}

  onModuleInit(): void {
    this.register('known_device', (request) => this.deviceOf(request));
    this.register('refresh_token', (request) => this.sessionOf(request));
  }

  private register(name: ProofName, read: (request: ProvingRequest) => string | null): void {
    this.registry.register(name, (request) => {
      const key = read(request);
      return key === null ? null : { key };
    });
  }

  /**
   * A device is known for one account: it proves nothing where another name is typed. All that are known by a name share its
   * limits: else each login would give one more share, and so would each change of what is not proven.
   */
  private deviceOf(request: ProvingRequest): string | null {
    const name = canonicalIdentifier(textIn(request, 'identifier'));
    const cookie = isWeb(request) ? request.cookies[KNOWN_DEVICE_COOKIE] : undefined;
    return this.devices.isOfName(cookie ?? textIn(request, 'knownDevice'), name)
      ? `device:${sha256(name).toString('hex')}`
      : null;
  }

  private sessionOf(request: ProvingRequest): string | null {
    const token = isWeb(request) ? request.cookies[REFRESH_COOKIE] : textIn(request, 'refreshToken');
    const id = this.sessions.sessionOf(token ?? '');
    return id === null ? null : `session:${id}`;
  }
}

/** A web client has its secrets in cookies. */
function isWeb({ headers }: ProvingRequest): boolean {
  return headers[CLIENT_TYPE_HEADER.toLowerCase()] === 'web';
}

/** Nothing of the body has been validated yet. */
function textIn({ body }: ProvingRequest, member: string): string {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, member) : undefined;
  return typeof value === 'string' ? value : '';
}
