import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { ROOT_FOLDER } from './build.js';
import { DOCS, oneOf, url } from './settings.js';

const flag = (text: '0' | '1'): boolean => text === '1';
export const NEEDED_BY_S3 = ['STORAGE_S3_BUCKET', 'STORAGE_S3_ACCESS_KEY_ID', 'STORAGE_S3_SECRET_ACCESS_KEY'] as const;

/** Where files are stored. */
export const STORAGE_SETTINGS = {
  STORAGE_DRIVER: oneOf('local', 's3').default('local').register(DOCS, {
    description: 'Where files (exports) are stored: local, in the folder STORAGE_PATH, or s3.',
    example: 's3',
  }),
  STORAGE_PATH: z.string().default('.mortise/files').register(DOCS, {
    description:
      'A folder for files, which the api and worker processes share; with s3, where files are written before they are sent. A relative one is beside package.json.',
    example: '/var/lib/mortise/files',
  }),
  STORAGE_S3_ENDPOINT: url('http', 'https').nullable().default(null).register(DOCS, {
    description: 'Where an S3-compatible server is. Unset: AWS.',
    example: 'https://s3.example.com',
  }),
  STORAGE_S3_REGION: z.string().default('us-east-1').register(DOCS, {
    description: 'Region of the bucket, as the server names it.',
    example: 'eu-central-1',
  }),
  STORAGE_S3_BUCKET: z
    .string()
    .nullable()
    .default(null)
    .register(DOCS, { description: 'Bucket of its own for this installation. It is not made.', example: 'mortise' }),
  STORAGE_S3_ACCESS_KEY_ID: z.string().nullable().default(null).register(DOCS, {
    description: 'Account that may list the bucket, and read, write and delete in it.',
    example: 'GK31c2f218a2e44f485b94239e',
  }),
  STORAGE_S3_SECRET_ACCESS_KEY: z
    .string()
    .nullable()
    .default(null)
    .register(DOCS, { description: 'Its secret.', example: 'SECRET', secret: true }),
  STORAGE_S3_PATH_STYLE: oneOf('0', '1').transform(flag).nullable().default(null).register(DOCS, {
    description:
      '1: the bucket is part of the path, 0: of the host name. Unset: 1 with STORAGE_S3_ENDPOINT, 0 without it.',
    example: '1',
  }),
  STORAGE_S3_LINKS: oneOf('0', '1').transform(flag).prefault('0').register(DOCS, {
    description: '1: clients reach the S3 server under the same address, and load files from there by signed links.',
    example: '1',
  }),
} as const;

export type StorageSettings = { readonly [V in keyof typeof STORAGE_SETTINGS]: z.output<(typeof STORAGE_SETTINGS)[V]> };

export interface S3Storage {
  /** Null is AWS. */
  readonly endpoint: string | null;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  /** No member that a log could print. */
  readonly secretAccessKey: () => string;
  readonly pathStyle: boolean;
  /** Whether clients can reach the endpoint. */
  readonly links: boolean;
}

export interface Storage {
  /** Absolute. */
  readonly path: string;
  /** Null: files are stored below `path`. */
  readonly s3: S3Storage | null;
}

export function storageOf(settings: StorageSettings): Storage {
  const path = settings.STORAGE_PATH;
  return Object.freeze({
    path: isAbsolute(path) ? path : join(ROOT_FOLDER, path),
    s3: settings.STORAGE_DRIVER === 's3' ? s3Of(settings) : null,
  });
}

/** Which settings S3 needs and does not have. */
export function missingForS3(settings: StorageSettings): readonly string[] {
  return settings.STORAGE_DRIVER === 's3' ? NEEDED_BY_S3.filter((name) => settings[name] === null) : [];
}

/** `missingForS3` has found nothing. */
function s3Of(settings: StorageSettings): S3Storage {
  const secret = settings.STORAGE_S3_SECRET_ACCESS_KEY ?? '';
  return Object.freeze({
    endpoint: settings.STORAGE_S3_ENDPOINT,
    region: settings.STORAGE_S3_REGION,
    bucket: settings.STORAGE_S3_BUCKET ?? '',
    accessKeyId: settings.STORAGE_S3_ACCESS_KEY_ID ?? '',
    secretAccessKey: () => secret,
    pathStyle: settings.STORAGE_S3_PATH_STYLE ?? settings.STORAGE_S3_ENDPOINT !== null,
    links: settings.STORAGE_S3_LINKS,
  });
}
