import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { SocketChannel, SocketDocument } from '../../src/apps/async-api.js';

/** Holds messages against the AsyncAPI document: what it says is wrong, or what the document does not mention. */
export class SocketDocumentReader {
  readonly #ajv = new Ajv({ strict: false, allErrors: true });
  readonly #known = new Map<string, ValidateFunction>();

  /** @param channel whose messages these are */
  constructor(
    private readonly document: SocketDocument,
    private readonly channel: SocketChannel = 'dashboard',
  ) {
    addFormats.default(this.#ajv);
    this.#ajv.addSchema({ $id: 'document', ...withoutMore(document) });
  }

  /** The names of messages that the document has. */
  get names(): string[] {
    return Object.keys(this.document.channels[this.channel].messages);
  }

  /** @returns what is wrong with the payload, or null */
  faultOf(name: string, payload: unknown): string | null {
    if (!this.names.includes(name)) {
      return `The document has no message ${name}.`;
    }
    const validate = this.#known.get(name) ?? this.#compile(name);
    return validate(payload) ? null : `${name}: ${this.#ajv.errorsText(validate.errors)} in ${JSON.stringify(payload)}`;
  }

  #compile(name: string): ValidateFunction {
    const validate = this.#ajv.compile({ $ref: `document#/channels/${this.channel}/messages/${name}/payload` });
    this.#known.set(name, validate);
    return validate;
  }
}

/** Clients mind no further members; a test does, since each is one that the document forgot. */
function withoutMore(document: SocketDocument): SocketDocument {
  const { schemas } = document.components;
  const closed = Object.entries(schemas).map(([name, schema]) => [
    name,
    'allOf' in schema || !('properties' in schema) ? schema : { ...schema, additionalProperties: false },
  ]);
  return { ...document, components: { ...document.components, schemas: Object.fromEntries(closed) as typeof schemas } };
}
