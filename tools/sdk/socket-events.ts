import type { SocketDocument } from '../../src/apps/async-api.js';

type Message = SocketDocument['channels']['dashboard']['messages'][string];

/** The typed event maps of Socket.IO, as the AsyncAPI document says them. */
export function socketEventTypes({ channels, operations }: SocketDocument): string {
  const { messages } = channels.dashboard;
  const named = (reference: { readonly $ref: string } | undefined): Message => {
    const message = messages[nameIn(reference)];
    if (!message) {
      throw new Error(`The document has no message ${nameIn(reference)}.`);
    }
    return message;
  };
  const all = Object.values(operations).filter(({ channel }) => nameIn(channel) === 'dashboard');
  const events = all.filter(({ action }) => action === 'send').map((each) => named(each.messages[0]));
  const requests = all.filter(
    ({ action, reply }) => action === 'receive' && nameIn(reply?.messages[0]).endsWith('acknowledgement'),
  );
  const argument = ({ name, summary, payload }: Message, rest: string): string =>
    `  /** ${summary} */\n  ${name}: (message: ${typeOf(payload)}${rest}) => void;\n`;
  return [
    "import type { components } from './socket-schema.js';\n",
    "/** What messages are made of: `SocketSchemas['DoorStatusChangedPayload']`. */",
    "export type SocketSchemas = components['schemas'];\n",
    '/** Server to client. */',
    `export interface FeedEvents {\n${events.map((each) => argument(each, '')).join('')}}\n`,
    '/** Client to server; each is answered. */',
    `export interface FeedRequests {\n${requests
      .map((each) =>
        argument(
          named(each.messages[0]),
          `, answer: (answer: ${typeOf(named(each.reply?.messages[0]).payload)}) => void`,
        ),
      )
      .join('')}}\n`,
  ].join('\n');
}

function typeOf(payload: Message['payload']): string {
  const references = 'oneOf' in payload ? payload.oneOf : [payload];
  return references.map((reference) => `SocketSchemas['${nameIn(reference)}']`).join(' | ');
}

function nameIn(reference: { readonly $ref: string } | undefined): string {
  return reference?.$ref.split('/').at(-1) ?? '';
}
