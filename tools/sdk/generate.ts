import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import openapiTypescript, { astToString, type OpenAPI3 } from 'openapi-typescript';
import ts from 'typescript';
import { Failure } from '../stack/failure.js';
import { ROOT } from '../stack/paths.js';
import type { Documents } from './document.js';
import { socketEventTypes } from './socket-events.js';

const TEMPLATES = join(ROOT, 'tools', 'sdk', 'template');
/** What is written by hand of the client. */
const SOURCES = ['client.ts', 'session.ts', 'answers.ts', 'lock.ts', 'store.ts', 'feed.ts', 'events.ts'];
const DEPENDENCIES = ['openapi-fetch', 'socket.io-client'];

const COMPILER_OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  exactOptionalPropertyTypes: true,
  declaration: true,
  skipLibCheck: true,
  types: ['node'],
  typeRoots: [join(ROOT, 'node_modules', '@types')],
};

/** Writes the client as a package: its sources, compiled, with the documents. @throws Failure with what the compiler says */
export async function generateSdk({ http, sockets }: Documents, directory: string): Promise<void> {
  const source = join(directory, 'src');
  await rm(directory, { recursive: true, force: true });
  await mkdir(source, { recursive: true });
  const { schemas } = sockets.components;
  const write = (name: string, text: string): Promise<void> => writeFile(join(directory, name), text);
  await write('package.json', JSON.stringify(await manifest(), null, 2));
  await write('src/schema.ts', await typesOf(http));
  await write('src/socket-schema.ts', await typesOf({ ...EMPTY, components: { schemas } }));
  await write('src/socket-events.ts', socketEventTypes(sockets));
  await copyFile(join(TEMPLATES, 'README.md'), join(directory, 'README.md'));
  await Promise.all(SOURCES.map((name) => copyFile(join(TEMPLATES, `${name}.template`), join(source, name))));
  compile(
    SOURCES.map((name) => join(source, name)),
    join(directory, 'dist'),
  );
}

/** Around schemas alone. */
const EMPTY = { openapi: '3.1.0', info: { title: '', version: '' }, paths: {} };

async function typesOf(document: object): Promise<string> {
  return astToString(await openapiTypescript(document as OpenAPI3, { transform: unknownWhereOpen }));
}

/** An object whose members are not named here has them named elsewhere, or by no document. */
function unknownWhereOpen({ type, ...rest }: { readonly type?: unknown }): ts.TypeNode | undefined {
  const isOpen = type === 'object' && !('properties' in rest) && !('additionalProperties' in rest);
  return isOpen ? ts.factory.createKeywordTypeNode(ts.SyntaxKind.UnknownKeyword) : undefined;
}

/** Compiles files beside which `node_modules` can be found. @throws Failure */
export function compile(files: readonly string[], outDir: string): void {
  const program = ts.createProgram([...files], { ...COMPILER_OPTIONS, outDir });
  const { diagnostics } = program.emit();
  const faults = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (faults.length > 0) {
    throw new Failure(
      ts.formatDiagnostics(faults, {
        getCanonicalFileName: (name) => name,
        getCurrentDirectory: () => ROOT,
        getNewLine: () => '\n',
      }),
    );
  }
}

async function manifest(): Promise<object> {
  const { version, license, devDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    version: string;
    license: string;
    devDependencies: Record<string, string>;
  };
  return {
    name: 'mortise-client',
    version,
    license,
    type: 'module',
    exports: {
      '.': { types: './dist/client.d.ts', default: './dist/client.js' },
      './session': { types: './dist/session.d.ts', default: './dist/session.js' },
      './feed': { types: './dist/feed.d.ts', default: './dist/feed.js' },
      './openapi.json': './openapi.json',
      './asyncapi.json': './asyncapi.json',
    },
    files: ['dist', 'openapi.json', 'asyncapi.json', 'postman_collection.json'],
    dependencies: Object.fromEntries(DEPENDENCIES.map((name) => [name, devDependencies[name]])),
  };
}
