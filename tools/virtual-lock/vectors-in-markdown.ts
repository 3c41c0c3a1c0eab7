import type { SignedOrder } from '../../src/contracts/orders.js';
import { isObject } from './strict-json.js';
import type { ExpectedVerdict, VectorFile } from './vectors.js';

const BEGIN = '<!-- vectors: written by tools/virtual-lock/make-vectors.ts -->';
const END = '<!-- end of vectors -->';

/** The document with its vectors replaced; everything outside the two marks stays as it is. */
export function quoteVectors(document: string, file: VectorFile): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) {
    throw new Error(`The document has no place for vectors: ${BEGIN} ... ${END}`);
  }
  return `${document.slice(0, begin)}${BEGIN}\n\n${render(file)}\n${document.slice(end)}`;
}

function render({ keys, privateKeys, lock, vectors }: VectorFile): string {
  const { order, kid, signature } = firstOrder(vectors);
  return `The lock of all vectors:

${block(JSON.stringify(lock, null, 2), 'json')}
The keys it trusts:

${block(keys.map((key) => JSON.stringify(key)).join('\n'), 'json')}
Their private halves, published on purpose. **Test keys: no door may ever trust them.**

${block(privateKeys.map((key) => JSON.stringify(key)).join('\n'), 'json')}
The first vector, an order that is accepted. Its text:

${block(order)}
The bytes that are signed, in hex:

${block(wrapped(Buffer.from(order, 'utf8').toString('hex')))}
The signature by \`${kid}\`, in hex and as it travels:

${block(`${wrapped(Buffer.from(signature, 'base64url').toString('hex'))}\n\n${signature}`)}
All of them:

| # | vector | verdict | answered as |
|---|---|---|---|
${vectors.map(({ name, expect }, index) => `| ${String(index + 1)} | ${name} | ${verdictOf(expect)} | ${answerOf(expect)} |`).join('\n')}
`;
}

function firstOrder([first]: VectorFile['vectors']): SignedOrder {
  const message: unknown = JSON.parse(first?.message ?? 'null');
  if (!isObject(message)) {
    throw new Error('The first vector must be a signed order.');
  }
  const { order, kid, signature } = message;
  return { order: String(order), kid: String(kid), signature: String(signature) };
}

function verdictOf(expect: ExpectedVerdict): string {
  return expect.verdict === 'refused' ? `\`${expect.code}\`` : expect.verdict;
}

function answerOf(expect: ExpectedVerdict): string {
  if (expect.verdict === 'refused') {
    return expect.commandId === null ? 'nothing' : '`failed`';
  }
  return expect.verdict === 'repeat' ? `\`${expect.answer.status}\`, as before` : '`received`, then its outcome';
}

function block(text: string, language = 'text'): string {
  return `\`\`\`${language}\n${text}\n\`\`\`\n`;
}

function wrapped(hex: string): string {
  return (hex.match(/.{1,64}/g) ?? []).join('\n');
}
