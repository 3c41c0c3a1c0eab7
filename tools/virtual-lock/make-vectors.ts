import { readFileSync, writeFileSync } from 'node:fs';
import { quoteVectors } from './vectors-in-markdown.js';
import { makeVectors } from './vectors.js';

/** Run in the root of the repository after a build: `node dist/tools/virtual-lock/make-vectors.js`. */
const DOCUMENT = 'docs/protocol.md';
const VECTORS = 'docs/protocol-vectors.json';

const file = makeVectors();
writeFileSync(VECTORS, `${JSON.stringify(file, null, 2)}\n`);
writeFileSync(DOCUMENT, quoteVectors(readFileSync(DOCUMENT, 'utf8'), file));
process.stdout.write(`${String(file.vectors.length)} vectors written to ${VECTORS} and ${DOCUMENT}\n`);
