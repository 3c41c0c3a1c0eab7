// Stores a file in a folder, as a process of its own that can be killed or limited. Its source yields so many megabytes, says so, and
// ends; or it is silent for ever; or it stores the file again and again. What came of it is printed.
import { LocalFileStore } from '../../dist/src/platform/storage/local-file-store.js';

const [root, key, megabytes, then] = process.argv.slice(2);
const files = new LocalFileStore(root);

async function* source(content) {
  for (let piece = 0; piece < Number(megabytes); piece += 1) {
    yield Buffer.alloc(1_024 * 1_024, content + piece);
  }
  process.stdout.write('yielded\n');
  if (then === 'silent') {
    setInterval(() => undefined, 60_000);
    await new Promise(() => undefined);
  }
}

try {
  for (let round = 0; round === 0 || then === 'again'; round += 1) {
    await files.put(key, source(round), { mediaType: 'text/plain' });
    process.stdout.write('stored\n');
  }
} catch (error) {
  process.stdout.write(`${error.constructor.name} ${error.cause?.code}\n`);
}
process.exit(0);
