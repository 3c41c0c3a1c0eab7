import { generateKeyPairSync } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { type ArrivedRequest, ScriptedServer } from './scripted-server.js';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const EMAIL = 'push@doors-1.iam.gserviceaccount.com';
const KEY_ID = 'b5d7';
const PROJECT = 'doors-1';

/** Google's token endpoint and FCM. */
export class GoogleServer {
  #given = 0;

  private constructor(
    readonly tokens: ScriptedServer,
    readonly fcm: ScriptedServer,
  ) {}

  static async start(): Promise<GoogleServer> {
    return new GoogleServer(await ScriptedServer.start(), await ScriptedServer.start());
  }

  /** As Google's console gives it. */
  get serviceAccount(): string {
    return JSON.stringify(
      {
        type: 'service_account',
        project_id: PROJECT,
        private_key_id: KEY_ID,
        private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
        client_email: EMAIL,
        token_uri: `${this.tokens.url}/token`,
      },
      null,
      2,
    );
  }

  /** Gives `token-1`, `token-2` and so on. */
  giveTokens(): void {
    this.tokens.answer((response) => {
      this.#given += 1;
      json(200, { access_token: `token-${String(this.#given)}`, expires_in: 3_599, token_type: 'Bearer' })(response);
    });
  }

  /** Verifies a request for an access token as RFC 7523 and Google's guide for service accounts say. */
  async claimsOf({ url, headers, body }: ArrivedRequest): Promise<Readonly<Record<string, unknown>>> {
    const form = new URLSearchParams(body.toString());
    const assertion = form.get('assertion') ?? '';
    const { payload } = await jwtVerify(assertion, publicKey, {
      algorithms: ['RS256'],
      issuer: EMAIL,
      audience: `${this.tokens.url}/token`,
    });
    const { kid } = decodeProtectedHeader(assertion);
    return { ...payload, kid, url, type: headers['content-type'], grant: form.get('grant_type') };
  }

  stop(): void {
    this.tokens.stop();
    this.fcm.stop();
  }
}

export function json(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): (response: ServerResponse) => void {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8', ...headers });
    response.end(JSON.stringify(body));
  };
}

/** An error in the form of Google's APIs, with FCM's code where it has one. */
export function fcmError(
  status: number,
  word: string,
  { message = 'No.', code, field }: { readonly message?: string; readonly code?: string; readonly field?: string } = {},
): (response: ServerResponse) => void {
  const details = [
    ...(code === undefined
      ? []
      : [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode: code }]),
    ...(field === undefined
      ? []
      : [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field, description: message }] }]),
  ];
  return json(status, { error: { code: status, message, status: word, details } });
}
