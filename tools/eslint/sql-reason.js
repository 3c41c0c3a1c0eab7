/**
 * A local rule of ESLint: hand-written SQL says why it is not Prisma Client, in a line `// SQL: <reason>` above the text of
 * the statement (a constant, an inline template) or above the statement that sends it. A reason may go on with `: detail`.
 */
const REASONS = [
  'a lock',
  'a set-based batch',
  'a keyset',
  'database time',
  'one round trip on a hot path',
  'something Prisma cannot say',
];
const SENDS = /^(query|queryHot|execute)$/;
const SENDS_RAW = /^\$(query|execute)Raw/;
const REASON = new RegExp(`^(${REASONS.join('|')})(: \\S.*)?$`);

/** The comments directly above a node, the lowest last: no blank line may part them from it, or from each other. */
function commentsAbove(sourceCode, node) {
  const above = [];
  let line = node.loc.start.line;
  for (const comment of sourceCode.getCommentsBefore(node).reverse()) {
    if (comment.loc.end.line < line - 1) {
      break;
    }
    above.unshift(comment);
    line = comment.loc.start.line;
  }
  return above;
}

/** What the lines above a node give as their reason: text, or undefined. */
function reasonAbove(sourceCode, node) {
  return commentsAbove(sourceCode, node)
    .filter(({ type }) => type === 'Line')
    .map(({ value }) => /^ SQL: (.*)$/.exec(value)?.[1])
    .find((reason) => reason !== undefined);
}

/** The statement that holds a node, with its `export`. */
function statementOf(node) {
  let statement = node;
  while (!/(Statement|Declaration|PropertyDefinition|MethodDefinition)$/.test(statement.type) && statement.parent) {
    statement = statement.parent;
  }
  return statement.parent?.type === 'ExportNamedDeclaration' ? statement.parent : statement;
}

function declarationOf(sourceCode, identifier) {
  for (let scope = sourceCode.getScope(identifier); scope; scope = scope.upper) {
    const [definition] = scope.set.get(identifier.name)?.defs ?? [];
    if (definition) {
      return definition.type === 'Variable' || definition.type === 'FunctionName'
        ? statementOf(definition.node)
        : undefined;
    }
  }
  return undefined;
}

/** Where the text of a statement is written: the nodes above which its reason may stand, one for each text. */
function textsOf(sourceCode, node) {
  switch (node.type) {
    case 'ConditionalExpression':
      return [...textsOf(sourceCode, node.consequent), ...textsOf(sourceCode, node.alternate)];
    case 'MemberExpression':
      return textsOf(sourceCode, node.object);
    case 'CallExpression':
      return textsOf(sourceCode, node.callee);
    case 'Identifier':
      return [declarationOf(sourceCode, node) ?? node];
    default:
      return [node];
  }
}

export const sqlReason = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: {
      missing: 'Say why this is SQL and not Prisma Client, in a line above it: // SQL: {{reasons}}.',
      unknown: '"{{reason}}" is no reason for SQL. These are: {{reasons}}; details follow after a colon.',
    },
  },
  create({ sourceCode, report }) {
    const reasons = REASONS.join(' | ');

    function check(call, text) {
      const given = reasonAbove(sourceCode, statementOf(call));
      const found =
        given === undefined ? textsOf(sourceCode, text).map((node) => reasonAbove(sourceCode, node)) : [given];
      if (found.includes(undefined)) {
        report({ node: call, messageId: 'missing', data: { reasons } });
      }
      for (const reason of found.filter((reason) => reason !== undefined && !REASON.test(reason))) {
        report({ node: call, messageId: 'unknown', data: { reason, reasons } });
      }
    }

    return {
      CallExpression(node) {
        const { callee } = node;
        if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') {
          return;
        }
        const owner = callee.object.property ?? callee.object;
        if (owner.name === 'database' && SENDS.test(callee.property.name)) {
          check(node, node.arguments[1] ?? node);
        } else if (SENDS_RAW.test(callee.property.name)) {
          check(node, node.arguments[0] ?? node);
        }
      },
      TaggedTemplateExpression(node) {
        if (node.tag.type === 'MemberExpression' && SENDS_RAW.test(node.tag.property.name)) {
          check(node, node.quasi);
        }
      },
    };
  },
};
