import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../tools/stack/paths.js';

/** The lock that docs/protocol.md prints under "Over Socket.IO". */
export function documentedLock(): string {
  const [, section = ''] = readFileSync(join(ROOT, 'docs', 'protocol.md'), 'utf8').split('\n## Over Socket.IO\n');
  return /```js\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
}

/** Its checks alone, as a module that exports `check`. */
export function documentedChecks(): string {
  const [checks = ''] = documentedLock().split('// What it knows.');
  return `${checks.replace(/^import .* from 'socket.io-client';$/m, '')}\nexport { check };\n`;
}
