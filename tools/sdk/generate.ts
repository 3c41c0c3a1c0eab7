import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import openapiTypescript, { astToString, type OpenAPI3 } from 'openapi-typescript';
import ts from 'typescript';
import { Failure } from '../stack/failure.js';
import { ROOT } from '../stack/paths.js';

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

/** Writes the client's sources and compiles them. @throws Failure with what the compiler says */
export async function generateSdk(document: OpenAPIObject, directory: string): Promise<void> {
  const source = join(directory, 'src');
  await rm(directory, { recursive: true, force: true });
  await mkdir(source, { recursive: true });
  const types = astToString(await openapiTypescript(document as unknown as OpenAPI3));
  await writeFile(join(directory, 'openapi.json'), JSON.stringify(document, null, 2));
  await writeFile(join(directory, 'package.json'), JSON.stringify(await manifest(), null, 2));
  await writeFile(join(source, 'schema.ts'), types);
  await writeFile(join(source, 'client.ts'), await readFile(join(ROOT, 'tools', 'sdk', 'client.ts.template')));
  compile([join(source, 'client.ts')], join(directory, 'dist'));
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
    exports: { types: './dist/client.d.ts', default: './dist/client.js' },
    files: ['dist', 'openapi.json'],
    dependencies: { 'openapi-fetch': devDependencies['openapi-fetch'] },
  };
}
