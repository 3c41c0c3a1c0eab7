import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SocketDocument } from '../../src/apps/async-api.js';
import { ROOT } from '../../tools/stack/paths.js';

const run = promisify(execFile);

export interface DocumentSchema {
  readonly type?: string;
  readonly enum?: unknown[];
  readonly example?: unknown;
  readonly $ref?: string;
  readonly allOf?: unknown[];
  readonly oneOf?: unknown[];
  readonly items?: DocumentSchema;
  readonly properties?: Record<string, DocumentSchema>;
  readonly required?: readonly string[];
  readonly default?: unknown;
}

export interface DocumentOperation {
  readonly summary?: string;
  readonly security?: readonly object[];
  readonly requestBody?: { content: Record<string, { schema: DocumentSchema; example?: unknown }> };
  readonly responses: Record<
    string,
    { headers?: object; content?: Record<string, { schema?: DocumentSchema; examples?: object }> }
  >;
}

interface OpenApiDocument {
  readonly paths: Record<string, Record<string, DocumentOperation>>;
  readonly components: { schemas: Record<string, DocumentSchema> };
}

export interface BuiltDocuments {
  /** The OpenAPI document as text. */
  readonly source: string;
  readonly document: OpenApiDocument;
  readonly sockets: SocketDocument;
}

/** The OpenAPI document of the application as it was built. */
export async function builtDocument<T>(): Promise<T> {
  return JSON.parse((await builtTexts()).openapi) as T;
}

/** The documents of the application as it was built, of HTTP and of sockets. */
export async function builtDocuments(): Promise<BuiltDocuments> {
  const { openapi, asyncapi } = await builtTexts();
  return {
    source: openapi,
    document: JSON.parse(openapi) as OpenApiDocument,
    sockets: JSON.parse(asyncapi) as SocketDocument,
  };
}

/** Both as text: only the compiler of the build reads the types of answers and messages into them. */
async function builtTexts(): Promise<{ readonly openapi: string; readonly asyncapi: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'mortise-document-'));
  const program = join(ROOT, 'dist', 'tools', 'sdk', 'main.js');
  try {
    await run(process.execPath, [program, directory, '--documents'], { timeout: 90_000 });
    const read = (name: string): Promise<string> => readFile(join(directory, `${name}.json`), 'utf8');
    return { openapi: await read('openapi'), asyncapi: await read('asyncapi') };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
