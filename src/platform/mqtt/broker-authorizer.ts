import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import type { AedesOptions, AuthenticateError, Client, ConnectPacket } from 'aedes';
import { isUuid } from '../../shared/ids.js';
import { within } from '../../shared/deadline.js';
import { ConnectionLimiter } from '../rate-limit/connection-limiter.js';
import { equalInConstantTime, sha256 } from '../crypto/digest.js';
import { newContext, runInContext } from '../context/request-context.js';
import { BrokerClientFactory } from './broker-client-factory.js';
import { DeviceAuthenticator } from './device-authenticator.js';
import { refuseForm, refusePublish, refuseSubscribe, refuseWill, type Publication } from './device-acl.js';
import { DeviceConnectionRegistry } from './device-connection-registry.js';
import { CANARY_DEVICE_ID } from './line/canary-channels.js';
import { CutoffRegistry } from './limits/cutoff-registry.js';
import { EndedTokenRegistry } from './limits/ended-token-registry.js';
import { DeviceLimiter } from './limits/device-limiter.js';
import { FailedLoginLimiter, type LoginAttempt } from './limits/failed-login-limiter.js';
import { RejectedMessages } from './rejected-messages.js';
import { reportFault } from '../process/faults.js';

const LOGIN_TIMEOUT_MS = 5_000;
/** A client that promises no pings is asked for a sign of life all the same. */
const MAX_KEEPALIVE_S = 120;
const RECHECK_BATCH = 1_000;
/** Logins under way that do not count as connections that say nothing. Those of further ones do. */
const MAX_VERIFYING = 4_096;
/**
 * Bytes that a device has not taken yet. More is not sent to it: the next write might have to wait for the device, and
 * everything that this backend publishes would wait behind it.
 */
const MAX_UNREAD_BYTES = 32_768;

/** Return codes of CONNACK (MQTT 3.1.1, table 3.1). */
const SERVER_UNAVAILABLE = 3;
const BAD_CREDENTIALS = 4;
const NOT_AUTHORIZED = 5;

type Hooks = Required<
  Pick<AedesOptions, 'preConnect' | 'authenticate' | 'authorizePublish' | 'authorizeSubscribe' | 'authorizeForward'>
>;

/** What devices may do in the embedded broker: who gets in, and which topics are theirs. */
@Injectable()
export class BrokerAuthorizer {
  readonly connections = new DeviceConnectionRegistry();
  readonly #backend = new WeakSet<Client>();
  /** Connections whose last will is about another device. */
  readonly #badWill = new WeakSet<Client>();
  /** The connection that counts, by client id: the will of one that was taken over must not be heard. */
  readonly #newest = new Map<string, Client>();
  readonly #opened: Promise<void>;
  #verifying = 0;
  #open: () => void = () => undefined;

  constructor(
    private readonly access: BrokerClientFactory,
    private readonly authenticator: DeviceAuthenticator,
    private readonly refusals: RejectedMessages,
    private readonly limiter: DeviceLimiter,
    private readonly cutoffs: CutoffRegistry,
    private readonly logins: FailedLoginLimiter,
    private readonly waiting: ConnectionLimiter,
    private readonly endedTokens: EndedTokenRegistry,
  ) {
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  /** Lets devices log in. Until then they wait, within the time of a login. */
  open(): void {
    this.#open();
  }

  /** A new connection, which waits for its login from now on. */
  accept(line: Socket): void {
    this.waiting.watch('mqtt', line);
  }

  hooks(): Hooks {
    return {
      preConnect: (client, packet, done) => {
        this.normalize(client, packet);
        done(null, true);
      },
      authenticate: (client, username, password, done) => {
        const answer = (code: number): void => {
          done(code === 0 ? null : refusal(code), code === 0);
        };
        this.login(client, username ?? '', password ?? Buffer.alloc(0)).then(answer, (error: unknown) => {
          reportFault('background', error);
          answer(SERVER_UNAVAILABLE);
        });
      },
      authorizePublish: (client, packet, done) => {
        const code = client === null ? null : this.refusePublication(client, packet);
        done(code === null ? null : new Error(code));
      },
      authorizeSubscribe: (client, subscription, done) => {
        done(null, this.maySubscribe(client, subscription.topic) ? subscription : null);
      },
      authorizeForward: (client, packet) => (this.mayReceive(client) ? packet : null),
    };
  }

  /** Connections whose token is not valid any more. A database that does not answer ends none. */
  async listEnded(): Promise<{ deviceId: string; client: Client }[]> {
    const logins = this.connections.logins();
    const ended: { deviceId: string; client: Client }[] = [];
    for (let start = 0; start < logins.length; start += RECHECK_BATCH) {
      const batch = logins.slice(start, start + RECHECK_BATCH);
      ended.push(...(await this.authenticator.listEnded(batch).catch(() => [])));
    }
    return ended;
  }

  /** Ends connections of a device whose token is not valid any more. Their wills are refused, as they might say anything. */
  end(deviceId: string, clients: readonly Client[]): void {
    const ended = this.connections.revoke(deviceId, clients);
    clients.forEach((client) => {
      client.close();
    });
    if (ended) {
      this.endedTokens.ended(ended);
    }
  }

  /**
   * What a client says about its session is not trusted. A session never outlives its connection, so no order does.
   * The client id lives in the device's own name space, so no device can take over the connection of another; and the
   * connection with a last will is *the* line of the device: a new one replaces it, under whatever client id.
   */
  private normalize(client: Client, packet: ConnectPacket): void {
    const username = packet.username ?? '';
    packet.clean = true;
    packet.keepalive = packet.keepalive ? Math.min(packet.keepalive, MAX_KEEPALIVE_S) : MAX_KEEPALIVE_S;
    packet.clientId = packet.will ? username : `${username}/${packet.clientId}`;
    if (packet.will && username !== this.access.internal.username && refuseWill(username, toPublication(packet.will))) {
      this.#badWill.add(client);
    }
  }

  /** @returns the return code of CONNACK; 0 lets the client in. */
  private async login(client: Client, username: string, password: Buffer): Promise<number> {
    if (username === this.access.internal.username) {
      return this.loginBackend(client, password);
    }
    const attempt = { address: addressOf(client), deviceId: username, token: password };
    if (this.logins.isRefused(attempt)) {
      return this.refuseLogin(SERVER_UNAVAILABLE, 'too_many_failures');
    }
    if (!isUuid(username) || username !== username.toLowerCase() || username === CANARY_DEVICE_ID) {
      this.logins.failed(attempt);
      return this.refuseLogin(BAD_CREDENTIALS, 'not_a_device_id');
    }
    if (this.#badWill.has(client)) {
      return this.refuseLogin(NOT_AUTHORIZED, 'foreign_will', username);
    }
    if (this.cutoffs.isCut(username)) {
      return this.refuseLogin(SERVER_UNAVAILABLE, 'cut_off', username);
    }
    // Known from here on, so that a revocation also reaches a login that is under way.
    this.connections.add(username, client, sha256(password.toString('utf8')));
    const code = await this.verify(client, attempt);
    return code === 0 ? this.admit(client, username) : code;
  }

  /** Only who has the token gets here: a stranger cannot use up the logins of a device. */
  private admit(client: Client, deviceId: string): number {
    if (!this.limiter.admitsLogin(deviceId)) {
      this.refusals.operation('connect', 'too_many_logins', { deviceId, proven: true });
      return SERVER_UNAVAILABLE;
    }
    this.waiting.settle(client.conn);
    this.remember(client);
    this.connections.admit(client).forEach((oldest) => {
      oldest.close();
    });
    return 0;
  }

  private loginBackend(client: Client, password: Buffer): number {
    if (!equalInConstantTime(sha256(password), sha256(this.access.internal.password))) {
      return this.refuseLogin(BAD_CREDENTIALS, 'bad_token');
    }
    this.#backend.add(client);
    this.waiting.settle(client.conn);
    return 0;
  }

  private async verify(client: Client, attempt: LoginAttempt): Promise<number> {
    const { deviceId, token } = attempt;
    this.#verifying += 1;
    // It has said who it is and waits for us: after a restart all locks of a building do, behind one address.
    if (this.#verifying <= MAX_VERIFYING) {
      this.waiting.settle(client.conn);
    }
    try {
      // In the name of the device, so that logins have no more of the database than its messages.
      const check = this.#opened.then(() =>
        runInContext(newContext('mqtt', `device:${deviceId}`), () =>
          this.authenticator.verify(deviceId, token.toString('utf8')),
        ),
      );
      const valid = await within(LOGIN_TIMEOUT_MS, check);
      this.logins[valid ? 'succeeded' : 'failed'](attempt);
      return valid && !this.connections.isRevoked(client)
        ? 0
        : this.refuseLogin(BAD_CREDENTIALS, 'bad_token', deviceId);
    } catch {
      return this.refuseLogin(SERVER_UNAVAILABLE, 'unavailable', deviceId);
    } finally {
      this.#verifying -= 1;
    }
  }

  private remember(client: Client): void {
    const { id } = client;
    this.#newest.set(id, client);
    client.conn.once('close', () => {
      if (this.#newest.get(id) === client) {
        this.#newest.delete(id);
      }
    });
  }

  private refuseLogin(code: number, reason: string, deviceId?: string): number {
    this.refusals.operation('connect', reason, { deviceId });
    return code;
  }

  /** Why not, or null. An error ends the connection, as MQTT 3.1.1 has no answer that says no [MQTT-3.3.5-2]. */
  private refusePublication(client: Client, publication: Publication): string | null {
    if (this.#backend.has(client)) {
      return refuseForm(publication);
    }
    const deviceId = this.connections.deviceOf(client);
    if (deviceId === undefined || this.connections.isRevoked(client)) {
      return 'revoked';
    }
    if (client.closed && this.isReplaced(client)) {
      return 'late_will';
    }
    const code = refusePublish(deviceId, publication);
    if (code !== null) {
      this.refusals.operation('publish', code, { deviceId, topic: publication.topic, proven: true });
    }
    return code;
  }

  private mayReceive(client: Client): boolean {
    if (this.connections.isRevoked(client)) {
      return false;
    }
    const deviceId = this.connections.provenDeviceOf(client);
    if (deviceId === undefined || client.conn.writableLength <= MAX_UNREAD_BYTES) {
      return true;
    }
    this.refusals.operation('forward', 'reads_too_slowly', { deviceId, proven: true });
    return false;
  }

  /** The will of a closed connection is asked for in its name. */
  private isReplaced(client: Client): boolean {
    const newest = this.#newest.get(client.id);
    return newest !== undefined && newest !== client;
  }

  private maySubscribe(client: Client, topic: string): boolean {
    if (this.#backend.has(client)) {
      return true;
    }
    const deviceId = this.connections.deviceOf(client);
    const code = deviceId === undefined ? 'revoked' : refuseSubscribe(deviceId, topic);
    if (code !== null) {
      this.refusals.operation('subscribe', code, { deviceId, topic, proven: true });
    }
    return code === null;
  }
}

function addressOf({ conn }: Client): string | undefined {
  return (conn as Partial<Socket>).remoteAddress;
}

function toPublication(will: NonNullable<ConnectPacket['will']>): Publication {
  return { topic: will.topic, payload: will.payload, retain: will.retain === true };
}

/** aedes declares the codes as a `const enum`, which isolated modules cannot read. */
function refusal(returnCode: number): AuthenticateError {
  const error: Error & { returnCode?: unknown } = new Error('The login was refused.');
  error.returnCode = returnCode;
  return error as AuthenticateError;
}
