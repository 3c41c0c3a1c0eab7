import { describe, expect, it } from '@jest/globals';
import { checkedHeaders } from './mail-headers.js';
import { mailHtml } from './mail-html.js';
import type { MailHeaders } from './mail-text.js';

const HOME = 'https://doors.example.com/app/';

/** What a browser would follow or load. */
function targets(html: string): string[] {
  return [...html.matchAll(/\b(?:href|src|srcset|background|action)\s*=\s*"([^"]*)"|url\(([^)]*)\)|@import[^;]*/g)].map(
    ([all, attribute, url]) => attribute ?? url ?? all,
  );
}

describe('mailHtml', () => {
  it('shows the subject and the paragraphs, in their language, with our links to be followed', () => {
    const text = `Hallo,\n\nzwei Zeilen\nund ein Link:\n\n${HOME}reset-password#token=a_b-c\n\nSign in at ${HOME}, then go on.\n`;
    const html = mailHtml({ subject: 'Passwort', text, language: 'de' }, HOME);
    expect(html).toContain('<html lang="de">');
    expect(html).toContain('<h1 dir="auto">Passwort</h1>');
    expect(html).toContain('zwei Zeilen<br>\nund ein Link:</p>');
    expect(html.match(/<p dir/g)).toHaveLength(4);
    expect(targets(html)).toEqual([`${HOME}reset-password#token=a_b-c`, HOME]);
    expect(html).toContain(`>${HOME}</a>, then go on.</p>`);
    expect(mailHtml({ subject: '', text: '' }, HOME)).toContain('<html lang="en">');
  });

  it('follows the colours that the reader has set, and loads nothing', () => {
    const html = mailHtml({ subject: 'Hello', text: 'Hello,\n' }, HOME);
    expect(html).toContain('<meta name="color-scheme" content="light dark">');
    expect(html).toMatch(/@media \(prefers-color-scheme: dark\) \{\s*body \{ background: #1c1c1e; color: #f2f2f7; \}/);
    expect(html).not.toMatch(/<(?:img|script|link|iframe|object|form|svg)\b/i);
    expect(targets(html)).toEqual([]);
  });

  it.each([
    '<img src="https://evil.example/pixel.png">',
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    '<%~ 1 + 1 %><%= it.subject %>',
    '</title></main></body>',
  ])('escapes %s, wherever it stands', (hostile) => {
    const html = mailHtml({ subject: hostile, text: `${hostile}\n\n${hostile}`, language: hostile }, HOME);
    const harmless = mailHtml({ subject: 'x', text: 'x\n\nx', language: 'x' }, HOME);
    const tags = (shown: string): string[] => [...shown.matchAll(/<\/?([a-z0-9!]+)/gi)].map(([, name = '']) => name);
    expect(tags(html)).toEqual(tags(harmless));
    expect(html.match(/="[^"]*"/g)).toHaveLength(harmless.match(/="[^"]*"/g)?.length ?? 0);
    expect(targets(html)).toEqual([]);
  });

  it.each([
    'https://evil.example/',
    'https://doors.example.com.evil.example/app/',
    'https://doors.example.com@evil.example/app/',
    'https://ada:secret@doors.example.com/app/',
    'http://doors.example.com/app/',
    'https://doors.example.com:8443/app/',
    'https://doors.example.com/other',
    'https://doors.example.com/application',
    'https://doors.example.com/app/../other',
    'javascript:alert(1)',
  ])('makes no link of %s, which is not ours', (url) => {
    expect(targets(mailHtml({ subject: url, text: `See ${url} now` }, HOME))).toEqual([]);
  });
});

describe('checkedHeaders', () => {
  const URL_OF_OURS = 'https://doors.example.com/api/v1/notifications/unsubscribe?token=abc.def-_~%20';
  const headersWith = (changed: Record<string, unknown>): MailHeaders =>
    ({
      'List-Unsubscribe': `<${URL_OF_OURS}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      ...changed,
    }) as never;

  it('passes what RFC 8058 asks for on as it is', () => {
    expect(checkedHeaders(undefined)).toEqual({});
    expect(checkedHeaders(headersWith({}))).toEqual({
      'List-Unsubscribe': { prepared: true, value: `<${URL_OF_OURS}>` },
      'List-Unsubscribe-Post': { prepared: true, value: 'List-Unsubscribe=One-Click' },
    });
  });

  it.each([
    { 'List-Unsubscribe': `<${URL_OF_OURS}>\r\nBcc: all@example.com` },
    { 'List-Unsubscribe': `<${URL_OF_OURS}\nBcc: all@example.com>` },
    { 'List-Unsubscribe': `<${URL_OF_OURS}>\n` },
    { 'List-Unsubscribe': `<${URL_OF_OURS}>, <https://evil.example/>` },
    { 'List-Unsubscribe': `<${URL_OF_OURS},https://evil.example/>` },
    { 'List-Unsubscribe': '<mailto:all@example.com>' },
    { 'List-Unsubscribe': '<https://ä.example/>' },
    { 'List-Unsubscribe': '<https://a b.example/>' },
    { 'List-Unsubscribe': '<https://:::/>' },
    { 'List-Unsubscribe': `<https://doors.example.com/${'x'.repeat(960)}>` },
    { 'List-Unsubscribe': { value: `<${URL_OF_OURS}>` } },
    { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click\r\nBcc: all@example.com' },
    { 'List-Unsubscribe-Post': '' },
    { Bcc: 'all@example.com' },
    { 'List-Unsubscribe\r\nBcc': 'all@example.com' },
    JSON.parse('{"__proto__": "all@example.com"}') as Record<string, unknown>,
    { constructor: 'all@example.com' },
  ])('refuses %j', (changed) => {
    expect(() => checkedHeaders(headersWith(changed))).toThrow(/^A mail may not have the header/);
  });
});
