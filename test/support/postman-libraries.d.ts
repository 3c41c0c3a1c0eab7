/** The part of the libraries that is used: they bring no types that they name. */
declare module 'postman-collection' {
  export interface Collection {
    readonly items: unknown;
  }
  export interface VariableScope {
    readonly values: unknown;
  }
  interface Values {
    readonly values: readonly { readonly key: string; readonly value: string }[];
  }
  const libraries: {
    readonly Collection: new (definition: object) => Collection;
    readonly VariableScope: new (definition: Values) => VariableScope;
  };
  // eslint-disable-next-line no-restricted-syntax -- CommonJS has one export
  export default libraries;
}

declare module 'postman-runtime' {
  import type { Collection, VariableScope } from 'postman-collection';

  interface Callbacks {
    request(
      error: Error | null,
      cursor: unknown,
      response: { readonly code: number; readonly headers: { get(name: string): string | undefined }; text(): string },
      request: unknown,
      item: { readonly name: string },
    ): void;
    assertion(cursor: unknown, assertions: readonly { readonly name: string; readonly error: Error | null }[]): void;
    done(error: Error | null): void;
  }
  export class Runner {
    run(
      collection: Collection,
      options: { readonly environment: VariableScope },
      ready: (error: Error | null, run: { start(callbacks: Callbacks): void }) => void,
    ): void;
  }
}
