import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { SocketChannel, SocketDocument } from '../../src/apps/async-api.js';
import { request } from './rest.js';

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

  /** As the running application serves it. */
  static async served(base: string, channel?: SocketChannel): Promise<SocketDocumentReader> {
    const { body } = await request<SocketDocument>(base, 'GET', '/api/docs/asyncapi.json');
    return new SocketDocumentReader(body, channel);
  }

  /** The names of messages that the document has. */
  get names(): string[] {
    return Object.keys(this.document.channels[this.channel].messages);
  }

  /** The names of messages that one side sends, answers left out. */
  sentBy(side: 'client' | 'server'): string[] {
    const action = side === 'client' ? 'receive' : 'send';
    return Object.values(this.document.operations)
      .filter(({ action: does, channel }) => does === action && lastOf(channel) === this.channel)
      .flatMap(({ messages }) => messages.map(lastOf));
  }

  /** The types of the events that a message carries; its own name where it carries none. */
  typesOf(name: string): string[] {
    const { payload } = this.document.channels[this.channel].messages[name]!;
    const schemas = ('oneOf' in payload ? payload.oneOf : [payload]).map(
      (reference) => this.document.components.schemas[lastOf(reference)] as Partial<FeedSchema>,
    );
    return schemas.map(({ allOf }) => allOf?.[1].properties.type?.const ?? name);
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

/** The schema of a message of the feed. */
interface FeedSchema {
  readonly allOf: readonly [object, { readonly properties: { readonly type?: { readonly const: string } } }];
}

function lastOf({ $ref }: { readonly $ref: string }): string {
  return $ref.slice($ref.lastIndexOf('/') + 1);
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
