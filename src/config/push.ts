import { createECDH, createPrivateKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { DOCS, providerUrl } from './settings.js';

/** Of a Google Cloud project: what its JSON file says. */
export interface FcmServiceAccount {
  readonly projectId: string;
  readonly clientEmail: string;
  readonly keyId: string;
  readonly privateKey: KeyObject;
  /** Where access tokens are asked for. */
  readonly tokenUrl: string;
}

interface VapidKeys {
  /** An uncompressed point of P-256, and a number, in base64url. */
  readonly publicKey: string;
  readonly privateKey: string;
}

const SERVICE_ACCOUNT = z.object({
  project_id: z.string().regex(/^[a-z\d.:-]{1,64}$/),
  client_email: z.email(),
  private_key_id: z.string().min(1).max(100),
  private_key: z.string(),
  token_uri: providerUrl(),
});

/** Services that push messages to browsers and apps. */
export const PUSH_SETTINGS = {
  VAPID_PRIVATE_KEY: parsed(vapidKeysOf, 'must be 32 bytes in base64url: npx web-push generate-vapid-keys')
    .nullable()
    .default(null)
    .register(DOCS, {
      description:
        'Signs what is pushed to browsers (RFC 8292); browsers subscribe with its public half, so another key needs them to subscribe anew. Unset: no Web Push.',
      example: 'npx web-push generate-vapid-keys',
      secret: true,
    }),
  VAPID_SUBJECT: z
    .string()
    .regex(/^(?:mailto:[^\s@<>]+@[^\s@<>]+|https:\/\/[^\s/]\S*)$/, { error: 'must be a mailto: or https: address' })
    .nullable()
    .default(null)
    .register(DOCS, {
      description: 'Where push services reach you: a mailto: or https: address, without < and >.',
      example: 'mailto:ops@example.com',
    }),
  FCM_SERVICE_ACCOUNT: parsed(
    serviceAccountOf,
    'must be the JSON of a service account: project_id, client_email, private_key_id, private_key, token_uri',
  )
    .nullable()
    .default(null)
    .register(DOCS, {
      description:
        'The JSON file of a Google service account that may send messages (role Firebase Cloud Messaging API Admin), here in one line. Unset: no FCM.',
      example: '{"type":"service_account","project_id":"…","private_key":"…","client_email":"…"}',
      secret: true,
      hasLines: true,
    }),
  FCM_URL: providerUrl()
    .default('https://fcm.googleapis.com')
    .register(DOCS, { description: 'Where FCM is.', example: 'https://fcm.googleapis.com' }),
  APNS_PRIVATE_KEY: parsed(p256KeyOf, 'must be a private key of P-256: the text of the .p8 file, or its base64')
    .nullable()
    .default(null)
    .register(DOCS, {
      description:
        "Apple's .p8 file, in one line what stands between BEGIN and END. Signs what is pushed to iOS. Unset: no APNs.",
      example: 'SECRET',
      secret: true,
      hasLines: true,
    }),
  APNS_KEY_ID: tenCharacters().register(DOCS, {
    description: 'Id of that key: ten characters.',
    example: 'ABC123DEFG',
  }),
  APNS_TEAM_ID: tenCharacters().register(DOCS, {
    description: 'Id of the team of developers: ten characters.',
    example: 'DEF123GHIJ',
  }),
  APNS_TOPIC: z
    .string()
    .regex(/^[\w.-]{1,200}$/, { error: 'must be the bundle id of an app, such as com.example.doors' })
    .nullable()
    .default(null)
    .register(DOCS, { description: 'Bundle id of the app.', example: 'com.example.doors' }),
  APNS_URL: providerUrl().default('https://api.push.apple.com').register(DOCS, {
    description: 'Where APNs is. Apps that Xcode has installed have https://api.sandbox.push.apple.com.',
    example: 'https://api.push.apple.com',
  }),
} as const;

/** Each of them needs the others. */
export const PUSH_GROUPS = [
  ['VAPID_PRIVATE_KEY', 'VAPID_SUBJECT'],
  ['APNS_PRIVATE_KEY', 'APNS_KEY_ID', 'APNS_TEAM_ID', 'APNS_TOPIC'],
] as const;

type PushSettings = { readonly [V in keyof typeof PUSH_SETTINGS]: z.output<(typeof PUSH_SETTINGS)[V]> };

/** Null is a service that messages are not sent by. Keys are no members that a log could print. */
export interface PushServices {
  readonly vapid: {
    readonly subject: string;
    readonly publicKey: string;
    readonly privateKey: () => string;
  } | null;
  readonly fcm: { readonly url: string; readonly serviceAccount: () => FcmServiceAccount } | null;
  readonly apns: {
    readonly url: string;
    readonly keyId: string;
    readonly teamId: string;
    readonly topic: string;
    readonly privateKey: () => KeyObject;
  } | null;
}

export function pushServicesOf(settings: PushSettings): PushServices {
  const { VAPID_PRIVATE_KEY: vapid, FCM_SERVICE_ACCOUNT: fcm, APNS_PRIVATE_KEY: apns } = settings;
  return Object.freeze({
    vapid:
      vapid &&
      Object.freeze({
        subject: settings.VAPID_SUBJECT ?? '',
        publicKey: vapid.publicKey,
        privateKey: () => vapid.privateKey,
      }),
    fcm: fcm && Object.freeze({ url: settings.FCM_URL, serviceAccount: () => fcm }),
    apns:
      apns &&
      Object.freeze({
        url: settings.APNS_URL,
        keyId: settings.APNS_KEY_ID ?? '',
        teamId: settings.APNS_TEAM_ID ?? '',
        topic: settings.APNS_TOPIC ?? '',
        privateKey: () => apns,
      }),
  });
}

function tenCharacters(): z.ZodDefault<z.ZodNullable<z.ZodString>> {
  return z
    .string()
    .regex(/^[A-Z\d]{10}$/, { error: 'must be ten capital letters and digits' })
    .nullable()
    .default(null);
}

/** @param read gives null for a text that is none, or throws */
function parsed<T>(read: (text: string) => T | null, error: string): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const value = resultOf(read, text);
    if (value === null) {
      context.addIssue({ code: 'custom', message: error });
      return z.NEVER;
    }
    return value;
  });
}

function resultOf<T>(read: (text: string) => T | null, text: string): T | null {
  try {
    return read(text);
  } catch {
    // What is wrong with a key may repeat it.
    return null;
  }
}

function vapidKeysOf(text: string): VapidKeys | null {
  if (!/^[\w-]{43}$/.test(text)) {
    return null;
  }
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(text, 'base64url');
  return { privateKey: text, publicKey: ecdh.getPublicKey('base64url') };
}

function serviceAccountOf(text: string): FcmServiceAccount | null {
  const file = SERVICE_ACCOUNT.parse(JSON.parse(text));
  const privateKey = createPrivateKey(file.private_key);
  if (privateKey.asymmetricKeyType !== 'rsa') {
    return null;
  }
  return {
    projectId: file.project_id,
    clientEmail: file.client_email,
    keyId: file.private_key_id,
    privateKey,
    tokenUrl: file.token_uri,
  };
}

function p256KeyOf(text: string): KeyObject | null {
  const body = text.replaceAll(/-----(?:BEGIN|END) PRIVATE KEY-----|\\n|\s/g, '');
  const key = createPrivateKey({ key: Buffer.from(body, 'base64'), format: 'der', type: 'pkcs8' });
  return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : null;
}
