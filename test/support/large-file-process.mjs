// Stores 64 MB and reads them, in a process of its own that can collect its memory: what is resident would tell of the collector. Says
// what buffers held at most meanwhile, how far the source was ahead of the disk, and whether the same bytes came back.
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const [root, s3] = process.argv.slice(2);
const SIZE = 64 * 1_024 * 1_024;
const piece = Buffer.alloc(64 * 1_024, 'x');
const unfinished = join(root, '.unfinished');

async function openStore() {
  if (s3 === undefined) {
    const { LocalFileStore } = await import('../../dist/src/platform/storage/local-file-store.js');
    return new LocalFileStore(root);
  }
  const { secret, ...settings } = JSON.parse(s3);
  const { S3FileStore } = await import('../../dist/src/platform/storage/s3-file-store.js');
  return new S3FileStore({ ...settings, secretAccessKey: () => secret }, { spoolFolder: root });
}

let ahead = 0;
async function* source() {
  for (let yielded = 0; yielded < SIZE; yielded += piece.length) {
    yield piece;
    const [name] = await readdir(unfinished);
    ahead = Math.max(ahead, yielded - (await stat(join(unfinished, name))).size);
  }
}

const buffered = () => {
  // Buffers that the first finds unused are freed beside the program, and are gone when the second one begins.
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().arrayBuffers;
};
const files = await openStore();
const before = buffered();
let held = 0;
const look = () => {
  held = Math.max(held, buffered() - before);
};
const timer = setInterval(look, 50);

const stored = await files.put('tests/large', source(), { mediaType: 'text/plain' });
const hash = createHash('sha256');
let read = 0;
for await (const chunk of await files.read('tests/large')) {
  hash.update(chunk);
  read += chunk.length;
  if (read === SIZE) {
    look();
  }
}
clearInterval(timer);
process.stdout.write(JSON.stringify({ held, ahead, read, isSame: hash.digest('hex') === stored.sha256 }));
process.exit(0);
