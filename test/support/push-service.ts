import { createDecipheriv, createECDH, createPublicKey, type ECDH, hkdfSync, randomBytes } from 'node:crypto';
import { jwtVerify } from 'jose';
import { type ArrivedRequest, ScriptedServer } from './scripted-server.js';

/** What a push service, and the browser behind it, made of a request. */
export interface ReceivedPush {
  readonly text: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly headers: ArrivedRequest['headers'];
}

/** A browser with its subscription, and the push service (RFC 8030) that it has chosen. */
export class PushService {
  readonly #keys: ECDH = createECDH('prime256v1');
  readonly #auth = randomBytes(16);

  private constructor(
    readonly server: ScriptedServer,
    /** With which the browser has subscribed. */
    private readonly applicationKey: string,
  ) {
    this.#keys.generateKeys();
  }

  static async start(applicationKey: string): Promise<PushService> {
    return new PushService(await ScriptedServer.start(), applicationKey);
  }

  get subscription(): { readonly endpoint: string; readonly p256dh: string; readonly auth: string } {
    return {
      endpoint: `${this.server.url}/push/abc`,
      p256dh: this.#keys.getPublicKey('base64url'),
      auth: this.#auth.toString('base64url'),
    };
  }

  /** Checks what RFC 8292 wants of the request, and decrypts it by RFC 8291. */
  async received({ headers, body }: ArrivedRequest): Promise<ReceivedPush> {
    const [, token = '', key = ''] = /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(headers.authorization ?? '') ?? [];
    if (key !== this.applicationKey) {
      throw new Error(`The browser has subscribed with another key than ${key}.`);
    }
    const { payload } = await jwtVerify(token, publicKeyOf(key), { algorithms: ['ES256'], audience: this.server.url });
    return { text: this.decrypted(body), claims: payload, headers };
  }

  /** RFC 8188 with the key of RFC 8291, section 3.4. */
  private decrypted(body: Buffer): string {
    const idLength = body.readUInt8(20);
    const [salt, sender] = [body.subarray(0, 16), body.subarray(21, 21 + idLength)];
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.#keys.getPublicKey(), sender]);
    const secret = hkdf(this.#keys.computeSecret(sender), this.#auth, info, 32);
    const key = hkdf(secret, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
    const nonce = hkdf(secret, salt, Buffer.from('Content-Encoding: nonce\0'), 12);
    const record = body.subarray(21 + idLength);
    const decipher = createDecipheriv('aes-128-gcm', key, nonce).setAuthTag(record.subarray(-16));
    const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
    const end = padded.lastIndexOf(2);
    return padded.subarray(0, end).toString();
  }
}

function hkdf(secret: Buffer, salt: Buffer, info: Buffer, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, length));
}

function publicKeyOf(point: string): ReturnType<typeof createPublicKey> {
  const bytes = Buffer.from(point, 'base64url');
  const [x, y] = [bytes.subarray(1, 33).toString('base64url'), bytes.subarray(33).toString('base64url')];
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
}
