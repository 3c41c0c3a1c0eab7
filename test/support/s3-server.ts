import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3Storage } from '../../src/config/storage.js';

const BUCKET = 'mortise';

/** A real S3 server (s3rver), a process of its own that ends with the test at the latest. It knows one account, and checks no secret. */
export class S3Server {
  private constructor(
    private readonly child: ChildProcess,
    private readonly directory: string,
    readonly url: string,
  ) {}

  static async start(directory: string): Promise<S3Server> {
    const [guard, script] = ['end-with-parent.mjs', 's3-server-process.mjs'].map((file) =>
      join(import.meta.dirname, file),
    ) as [string, string];
    const child = spawn(process.execPath, ['--import', guard, script, directory, BUCKET], {
      env: { PATH: process.env.PATH },
      stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
    });
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    return new S3Server(child, directory, `http://127.0.0.1:${String(port)}`);
  }

  get settings(): S3Storage {
    return s3At(this.url);
  }

  /** What it keeps on its disk for a key. */
  stored(key: string): Promise<Buffer> {
    return readFile(join(this.directory, BUCKET, `${key}._S3rver_object`));
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill();
    await ended;
  }
}

/** The account and the bucket of such a server. */
export function s3At(endpoint: string): S3Storage {
  return {
    endpoint,
    region: 'us-east-1',
    bucket: BUCKET,
    accessKeyId: 'S3RVER',
    secretAccessKey: () => 'S3RVER',
    pathStyle: true,
    links: true,
  };
}
