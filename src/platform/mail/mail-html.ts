import { Eta } from 'eta/core';
import type { RenderedMail } from './mail-text.js';

/** A stretch of a line; with a link, it is the link. */
interface Stretch {
  readonly text: string;
  readonly href: string | null;
}

/** What the shell shows. */
interface Shown {
  readonly language: string;
  readonly subject: string;
  readonly paragraphs: readonly (readonly (readonly Stretch[])[])[];
}

const ENGLISH = 'en';
const URLS = /https?:\/\/[^\s<>"]+/g;
/** What follows a link in a sentence is no part of it. */
const AFTER_URL = /[.,;:!?)\]}'”“»]+$/;

/**
 * The one shell of all mails. It loads nothing from anywhere, so that opening a mail tells no server of it, and follows
 * the colours that the reader has set; programs that drop `<style>` show their own. Only `<%=` is used: it escapes.
 */
const SHELL = `<!doctype html>
<html lang="<%= it.language %>">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title><%= it.subject %></title>
<style>
:root { color-scheme: light dark; supported-color-schemes: light dark; }
body { margin: 0; padding: 24px 16px; background: #ffffff; color: #1c1c1e; font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif; }
main { max-width: 560px; margin: 0 auto; overflow-wrap: anywhere; }
h1 { margin: 0 0 16px; font-size: 20px; line-height: 1.3; }
p { margin: 0 0 16px; }
a { color: #0b57d0; }
@media (prefers-color-scheme: dark) {
body { background: #1c1c1e; color: #f2f2f7; }
a { color: #8ab4f8; }
}
</style>
</head>
<body>
<main lang="<%= it.language %>">
<h1 dir="auto"><%= it.subject %></h1>
<% for (const lines of it.paragraphs) { %>
<p dir="auto"><% lines.forEach((line, index) => { %><% if (index > 0) { %><br>
<% } %><% for (const part of line) { %><% if (part.href === null) { %><%= part.text %><% } else { %><a href="<%= part.href %>" rel="noreferrer"><%= part.text %></a><% } %><% } %><% }) %></p>
<% } %>
</main>
</body>
</html>
`;

const ENGINE = new Eta({ autoEscape: true, autoTrim: [false, 'nl'] });
const COMPILED = ENGINE.compile(SHELL);

/**
 * The HTML beside the text of a mail: its subject and its paragraphs.
 * @param publicUrl only what is below it becomes a link: what another person wrote into a mail leads to no site of theirs.
 */
export function mailHtml({ subject, text, language = ENGLISH }: RenderedMail, publicUrl: string): string {
  const shown: Shown = {
    language,
    subject,
    paragraphs: text
      .trim()
      .split(/\n{2,}/)
      .map((paragraph) => paragraph.split('\n').map((line) => stretches(line, new URL(publicUrl)))),
  };
  return ENGINE.render(COMPILED, shown);
}

function stretches(line: string, home: URL): Stretch[] {
  const found: Stretch[] = [];
  let end = 0;
  for (const { 0: match, index } of line.matchAll(URLS)) {
    const url = match.replace(AFTER_URL, '');
    if (isBelow(url, home)) {
      found.push({ text: line.slice(end, index), href: null }, { text: url, href: url });
      end = index + url.length;
    }
  }
  return [...found, { text: line.slice(end), href: null }];
}

function isBelow(text: string, home: URL): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    url.origin === home.origin &&
    url.username === '' &&
    url.password === '' &&
    `${url.pathname}/`.startsWith(home.pathname.replace(/\/*$/, '/'))
  );
}
