import escape from 'escape-html';
import type { ProblemTypeDto } from './problems.dto.js';

const STYLE = `
body { max-width: 60rem; margin: 3rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; color-scheme: light dark }
dt { font-weight: 600; margin-top: 1rem }
dd { margin: 0 }
td { padding: 0.2rem 1rem 0.2rem 0; vertical-align: top }
`;

/** A page for people who followed the `type` of a refusal in a browser. */
export function problemPage({ code, status, title, meaning, cause, cure }: ProblemTypeDto): string {
  return page(
    code,
    `<p>${String(status)} ${escape(title)}</p>
<dl>
<dt>What it means</dt><dd>${inline(meaning)}</dd>
<dt>How it comes about</dt><dd>${inline(cause)}</dd>
<dt>What to do</dt><dd>${inline(cure)}</dd>
</dl>
<p><a href="../problems">All problems</a></p>`,
  );
}

/** The list of them. */
export function problemsPage(problems: readonly ProblemTypeDto[]): string {
  const rows = problems.map(
    ({ code, status, meaning }) =>
      `<tr><td>${String(status)}</td><td><a href="problems/${escape(code)}">${escape(code)}</a></td><td>${inline(meaning)}</td></tr>`,
  );
  return page('Problems', `<table>\n${rows.join('\n')}\n</table>`);
}

function page(heading: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>${escape(heading)} · Mortise</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escape(heading)}</h1>
${content}
</body>
</html>
`;
}

/** Text in which names stand between backquotes. */
function inline(text: string): string {
  return escape(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}
