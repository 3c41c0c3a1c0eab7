import tseslint from 'typescript-eslint';
import { sqlReason } from './tools/eslint/sql-reason.js';

const ban = (selector, message) => ({ selector, message });
const NO_FORWARD_REF = ban(
  "ImportSpecifier[imported.name='forwardRef']",
  'A cycle: publish an event, or move the shared part down a layer.',
);
const NO_ENV = ban(
  "MemberExpression[object.name='process'][property.name='env']",
  'Read configuration through AppConfig (src/config).',
);
const MAX_PARAMETERS = 6;
const MAX_DEPENDENCIES = 8;
const TOO_MANY_PARAMETERS = `A function takes up to ${String(MAX_PARAMETERS)} parameters: group what belongs together.`;
const BANS = [
  NO_FORWARD_REF,
  ban(`FunctionDeclaration[params.length>${String(MAX_PARAMETERS)}]`, TOO_MANY_PARAMETERS),
  ban(`ArrowFunctionExpression[params.length>${String(MAX_PARAMETERS)}]`, TOO_MANY_PARAMETERS),
  ban(
    `MethodDefinition[kind!='constructor'] > FunctionExpression[params.length>${String(MAX_PARAMETERS)}]`,
    TOO_MANY_PARAMETERS,
  ),
  ban(
    `MethodDefinition[kind='constructor'] > FunctionExpression[params.length>${String(MAX_DEPENDENCIES)}]`,
    `A class takes up to ${String(MAX_DEPENDENCIES)} dependencies: with more it does two things.`,
  ),
  ban('TSEnumDeclaration', 'Use a const object and a union type.'),
  ban('ExportAllDeclaration', 'No barrels.'),
  ban('ExportDefaultDeclaration', 'Export by name: a name is searched and renamed everywhere alike.'),
  ban(
    "Property[key.name='connectionString']:not([value.callee.name='utcConnection'])",
    'Every session speaks UTC: utcConnection(url), in src/platform/prisma.',
  ),
];
const HTTP_ERRORS = [
  'HttpException',
  'BadRequestException',
  'NotFoundException',
  'ForbiddenException',
  'ConflictException',
];

export default tseslint.config(
  { ignores: ['dist*/', 'sdk/', 'coverage/', '.mortise/', 'src/generated/'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/prefer-readonly': 'error',
      // How features add their names to the open interfaces of src/contracts.
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'with-single-extends' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Nest declares its option bags as classes; nobody constructs them.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      complexity: ['error', 10],
      'no-console': 'error',
      eqeqeq: 'error',
      curly: 'error',
      'no-restricted-syntax': ['error', ...BANS, NO_ENV],
    },
  },
  {
    files: ['src/**/*.service.ts', 'src/**/*.repository.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: '@nestjs/common',
              importNames: HTTP_ERRORS,
              message: "Services throw domain errors; HTTP is the filter's business.",
            },
          ],
        },
      ],
    },
  },
  // Prisma Client is the way to the database: see docs/adr/0009.
  {
    files: ['src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    plugins: { local: { rules: { 'sql-reason': sqlReason } } },
    rules: {
      'local/sql-reason': 'error',
      // The failure of a promise that is not awaited is handled: by catch(), or by inBackground() of src/platform/process.
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: false }],
    },
  },
  // The ban on process.env is lifted where configuration enters: the entry points, and everything that is not the product.
  {
    files: ['src/{main,adopt,migrate,admin-create}.ts', 'tools/**', 'test/**', 'bench/**', '**/*.spec.ts'],
    rules: { 'no-restricted-syntax': ['error', ...BANS] },
  },
  // A describe block is as long as its stories; jest's matchers are unbound by design.
  {
    files: ['**/*.spec.ts', 'test/**', 'bench/**'],
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  // Tools that load a file by convention want its default export.
  {
    files: ['*.config.ts', '*.config.js', 'test/support/global-*.ts'],
    rules: { 'no-restricted-syntax': ['error', NO_FORWARD_REF] },
  },
  {
    files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { 'no-restricted-syntax': 'off', '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
);
