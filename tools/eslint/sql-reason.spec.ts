import { describe, expect, it } from '@jest/globals';
import { Linter, type Rule } from 'eslint';

// Not a literal: the rule is plain JavaScript, which has no types.
const RULE = './sql-reason.js';
const { sqlReason } = (await import(RULE)) as { sqlReason: Rule.RuleModule };

function problemsOf(code: string): (string | undefined)[] {
  return new Linter()
    .verify(code, {
      plugins: { local: { rules: { 'sql-reason': sqlReason } } },
      rules: { 'local/sql-reason': 'error' },
    })
    .map(({ messageId, message }) => messageId ?? message);
}

const inMethod = (body: string): string => `class Repository { async find(id) { ${body} } }`;

describe('the rule on hand-written SQL', () => {
  it.each([
    ['an inline text', inMethod("return this.database.query('find', 'SELECT 1');")],
    ['a constant', `const FIND = 'SELECT 1';\n${inMethod("return this.database.query('find', FIND);")}`],
    ['a statement without an answer', "database.execute('touch', `UPDATE users SET name = $1`);"],
    ['a member of a constant', "const SQL = { a: 'SELECT 1' };\ndatabase.query('find', SQL.a);"],
    ['a text that a function makes', "function find() { return 'SELECT 1'; }\ndatabase.query('find', find());"],
    ['an imported text', "import { FIND } from './sql.js';\ndatabase.query('find', FIND);"],
    ['one of two texts', "// SQL: a lock\nconst A = 'a';\nconst B = 'b';\ndatabase.query('find', x ? A : B);"],
    ['raw SQL through Prisma', 'prisma.$queryRaw`SELECT 1`;'],
    ['unsafe SQL through Prisma', "prisma.$executeRawUnsafe('SELECT 1');"],
    ['a reason that is parted by a blank line', "// SQL: a lock\n\ndatabase.query('find', 'SELECT 1');"],
    ['a reason in the description', "/** SQL: a lock */\nconst FIND = 'SELECT 1';\ndatabase.query('find', FIND);"],
  ])('finds %s without a reason', (_what, code) => {
    expect(problemsOf(code)).toEqual(['missing']);
  });

  it.each([
    ['of a hot read', "// SQL: it is faster\ndatabase.queryHot('find', 'SELECT 1');"],
    ['of another kind', "// SQL: it is faster\ndatabase.query('find', 'SELECT 1');"],
    ['that only begins like one', "// SQL: a lock and more\ndatabase.query('find', 'SELECT 1');"],
    ['whose detail is empty', "// SQL: a lock: \ndatabase.query('find', 'SELECT 1');"],
  ])('finds a reason %s', (_what, code) => {
    expect(problemsOf(code)).toEqual(['unknown']);
  });

  it.each([
    [
      'above a constant',
      "/** One row. */\n// SQL: a lock\nexport const FIND = 'SELECT 1';\ndatabase.query('find', FIND);",
    ],
    ['above the inline text', "database.query(\n  'find',\n  // SQL: a keyset: by time and id\n  `SELECT 1`,\n);"],
    [
      'above the statement that sends it',
      inMethod("\n// SQL: database time\nconst [row] = await this.database.query('find', 'SELECT 1');"),
    ],
    [
      'above a statement with an imported text',
      "import { FIND } from './sql.js';\n// SQL: a set-based batch\ndatabase.query('find', FIND);",
    ],
    [
      'above the function that makes it',
      "// SQL: something Prisma cannot say: xid8\nfunction find() { return 'SELECT 1'; }\ndatabase.query('find', find());",
    ],
    [
      'in two lines',
      "// SQL: one round trip on a hot path: the sessions of\n// every request are read here.\ndatabase.query('find', 'SELECT 1');",
    ],
    ['above raw SQL through Prisma', '// SQL: a lock\nprisma.$queryRaw`SELECT 1`;'],
  ])('takes a reason %s', (_what, code) => {
    expect(problemsOf(code)).toEqual([]);
  });

  it('leaves other calls alone', () => {
    expect(
      problemsOf("documents.query('find', 'text'); this.database.prisma((prisma) => prisma.user.count());"),
    ).toEqual([]);
  });
});
