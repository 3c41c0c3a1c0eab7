import { coverageGates } from './tools/test/coverage-gates.ts';

/** @type {import('jest').Config} */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  resolver: '<rootDir>/test/support/typescript-resolver.cjs',
  runtime: '<rootDir>/test/support/lasting-modules.js',
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  setupFiles: ['<rootDir>/test/support/load-nest.js'],
  setupFilesAfterEnv: ['<rootDir>/test/support/end-observers.js'],
  globalTeardown: '<rootDir>/test/support/global-teardown.js',
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.mortise/'],
};

/** @type {import('jest').Config} */
export default {
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/{src,tools}/**/*.spec.ts'] },
    { ...shared, displayName: 'system', testMatch: ['<rootDir>/test/**/*.spec.ts'] },
  ],
  // Beyond the patience of test/support/wait.ts, whose message says what did not happen.
  testTimeout: 120_000,
  // As many as tools/test/services.ts starts services for.
  maxWorkers: 2,
  // Beyond what test/support/lasting-coverage.mjs keeps to: a process that freed nothing held 5 GB at the end and slowed tenfold.
  workerIdleMemoryLimit: '1.5GB',
  coverageProvider: 'v8',
  collectCoverageFrom: ['src/**/*.ts', '!src/generated/**', '!src/**/*.spec.ts', '!src/**/*.types.ts', '!src/main.ts'],
  coverageReporters: ['text-summary', 'lcov', 'json-summary'],
  coverageThreshold: coverageGates(import.meta.dirname),
};
