import { httpProblems } from '../../src/platform/http/problems/http-problems.js';

/** docs/problems.md: every kind of refusal, as the classes of errors describe it. The application must be loaded. */
export function renderProblems(): string {
  const rows = httpProblems().map(
    ({ code, status, meaning, cause, cure }) => `### \`${code}\`
${String(status)}. ${meaning}

- **How it comes about:** ${cause}
- **What to do:** ${cure}
`,
  );
  return `# Problems
Every refusal over HTTP is a problem document (RFC 9457): \`application/problem+json\` with \`type\`, \`title\`, \`status\`, \`detail\`, \`code\`,
\`requestId\`, \`timestamp\`, \`path\`, and \`errors\` where members of the request are at fault. (A handshake of Socket.IO is refused
without \`requestId\`, \`timestamp\` and \`path\`.) Branch on \`code\`: it is stable, while
\`detail\` is for people and may be worded anew. \`type\` is an address of your installation that explains the code, in JSON or as
a page (\`GET /problems/{code}\`). A code that you do not know is to be handled like its status.
Some codes reach no client: the diagnostics of a device, or a command of the operator, show them.

This page is made from the classes of errors: \`npm run docs:problems\`.

${rows.join('\n')}`;
}
