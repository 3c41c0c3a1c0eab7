import { describe, expect, it } from '@jest/globals';
import { IntlMessageFormat } from 'intl-messageformat';
import { COMMAND_NAMES } from '../../../contracts/commands.js';
import { DEVICE_PERMISSIONS } from '../../../contracts/devices.js';
import { ORGANIZATION_ROLES } from '../../../contracts/resources.js';
import { mailHtml } from '../../../platform/mail/mail-html.js';
import { EXPORT_TYPES } from '../../exports/exports.types.js';
import { NOTIFICATION_KINDS, type NotificationKind, type NotificationValues } from '../notifications.types.js';
import type { Catalog } from './catalog.types.js';
import type { DigestItem } from './digest-lines.js';
import { digestOf, type NotificationText, textOf } from './notification-texts.js';
import { CATALOGS, languageOf } from './text-language.js';

const LANGUAGES = [...CATALOGS.keys()];
const AT = '2026-07-01T13:03:00.000Z';
const FULL: NotificationValues = {
  occurredAt: AT,
  deviceName: 'Haustür',
  lastSeenAt: AT,
  battery: 7.5,
  command: 'unlock_door',
  errorCode: 'jammed',
  grantorName: 'Ada',
  permission: 'control',
  organizationName: 'Werk 2',
  inviterName: 'Ada',
  role: 'MANAGER',
  exportId: 'e1',
  exportType: 'audit',
  exportState: 'COMPLETED',
  address: '2001:db8::7',
  program: 'Firefox on Linux',
  failures: 1_234,
  windowSeconds: 60,
  scope: 'account',
};

/** Messages by their path, such as `kinds.low_battery.title`. */
function messagesOf(value: unknown, path: readonly string[] = []): [string, string][] {
  return typeof value === 'string'
    ? [[path.join('.'), value]]
    : Object.entries(value as object).flatMap(([key, inner]) => messagesOf(inner, [...path, key]));
}

interface Node {
  type: number;
  value: string;
  children?: Node[];
  pluralType?: string;
  options?: Record<string, { value: Node[] }>;
}

/** `name`, and of a choice between words all of them: `scope?account,other,own`. Their number differs with the grammar, so they are a set. */
function argumentsOf(message: string): string[] {
  const found = new Set<string>();
  const visit = (nodes: readonly Node[]): void => {
    for (const { type, value, options, pluralType, children = [] } of nodes) {
      if (type > 0 && typeof value === 'string') {
        const isWord = options !== undefined && pluralType === undefined;
        found.add(isWord ? `${value}?${Object.keys(options).sort().join(',')}` : value);
      }
      Object.values(options ?? {}).forEach((option) => {
        visit(option.value);
      });
      visit(children);
    }
  };
  visit(new IntlMessageFormat(message, 'en', undefined, { ignoreTag: true }).getAst() as unknown as Node[]);
  return [...found].sort();
}

/** Words that a choice of a message knows. */
function choices(catalog: Catalog, word: keyof Catalog['words']): string[] {
  return argumentsOf(catalog.words[word]).join().replace('word?', '').split(',').sort();
}

function item(kind: NotificationKind, deviceName: string, minute: number): DigestItem {
  return { kind, values: { ...FULL, deviceName }, at: new Date(Date.parse(AT) + minute * 60_000) };
}

describe('the catalogs', () => {
  const [first = 'en', ...others] = LANGUAGES;

  it.each(others)('have the same messages with the same arguments and choices in %s as in English', (language) => {
    const shapeOf = (tag: string): [string, string[]][] =>
      messagesOf(CATALOGS.get(tag)).map(([path, message]): [string, string[]] => [path, argumentsOf(message)]);
    expect(shapeOf(language)).toEqual(shapeOf(first));
  });

  it.each(LANGUAGES)('know every word of the system in %s', (language) => {
    const { catalog } = languageOf(language);
    expect(choices(catalog, 'command')).toEqual([...COMMAND_NAMES, 'other'].sort());
    expect(choices(catalog, 'permission')).toEqual([...DEVICE_PERMISSIONS, 'other'].sort());
    expect(choices(catalog, 'role')).toEqual([...ORGANIZATION_ROLES, 'other'].sort());
    expect(choices(catalog, 'exported')).toEqual([...EXPORT_TYPES, 'other'].sort());
    expect(Object.keys(catalog.kinds).sort()).toEqual([...NOTIFICATION_KINDS].sort());
  });
});

describe('languageOf', () => {
  it.each([
    ['de', 'de', 'de'],
    ['de-CH', 'de', 'de-CH'],
    ['de-ch', 'de', 'de-CH'],
    ['DE_AT', 'de', 'de-AT'],
    ['deu', 'de', 'de'],
    ['de-Latn-DE-1996-u-ca-buddhist', 'de', 'de-Latn-DE'],
    ['en-GB', 'en', 'en-GB'],
    ['pt', 'en', 'en'],
    ['pt-BR', 'en', 'en'],
    ['den', 'en', 'en'],
    ['zh-Hant-TW', 'en', 'en'],
    ['', 'en', 'en'],
    ['constructor', 'en', 'en'],
    ['de\r\nBcc: x', 'en', 'en'],
    ['x'.repeat(100), 'en', 'en'],
  ])('takes %j for the catalog %s, with numbers as in %s', (tag, catalog, locale) => {
    expect(languageOf(tag)).toEqual({ catalog: CATALOGS.get(catalog), locale });
    expect(textOf(tag, 'low_battery', {}).language).toBe(locale);
  });
});

describe('textOf', () => {
  it.each(LANGUAGES)('says something of every kind in %s, whatever is missing', (language) => {
    const texts = NOTIFICATION_KINDS.flatMap((kind) => [{}, FULL].map((values) => textOf(language, kind, values)));
    for (const { title, text } of texts) {
      expect(title).toMatch(/^\S.*\S$/);
      expect(text).toMatch(/\.$/);
      expect(`${title} ${text}`).not.toMatch(/[{}]|undefined|null|NaN|\bnone\b|Invalid| {2}| [.,:]/);
    }
    expect(new Set(texts.map(({ text }) => text)).size).toBeGreaterThan(NOTIFICATION_KINDS.length * 1.7);
  });

  it('writes numbers and times as the person does, in their zone', () => {
    const text = (language: string, kind: NotificationKind, timeZone?: string): string =>
      textOf(language, kind, FULL, timeZone).text.replaceAll(/\s/g, ' ');
    expect(text('de', 'device_offline', 'Europe/Berlin')).toContain('1. Juli 2026, 15:03 MESZ.');
    expect(text('en', 'device_offline', 'Asia/Kolkata')).toContain('Jul 1, 2026, 6:33 PM GMT+5:30.');
    expect(text('de', 'door_forced', 'Europe/Berlin')).toContain('am 1. Juli 2026, 15:03 MESZ:');
    expect(text('en', 'device_offline')).toContain('1:03 PM UTC.');
    expect(text('en', 'device_offline', 'Mars/Olympus')).toContain('1:03 PM UTC.');
    expect(text('de', 'low_battery')).toContain('(8 %)');
    expect(text('en', 'low_battery')).toContain('(8%)');
    expect(text('de', 'security_alarm')).toContain(
      '1.234 fehlgeschlagene Anmeldungen an einem Konto innerhalb von 60 Sekunden',
    );
    expect(text('de-CH', 'security_alarm')).toMatch(/^1['’]234 /);
    expect(textOf('en', 'security_alarm', { failures: 1, windowSeconds: 1 }).text).toMatch(
      /^1 sign-in to this installation failed within 1 second\./,
    );
  });

  it('says what it is about', () => {
    expect(textOf('en', 'command_failed', FULL)).toEqual({
      title: '“Haustür”: unlocking failed',
      text: '“Haustür” did not carry out what you asked of it: unlocking. It says: “jammed”.',
      language: 'en',
    });
    expect(textOf('de', 'command_failed', FULL).title).toBe('„Haustür“: Entriegeln fehlgeschlagen');
    expect(textOf('de', 'share_granted', FULL).text).toContain('dürfen Sie es sehen und steuern');
    expect(textOf('de', 'invitation_received', FULL).text).toContain('„Werk 2“ ein, in der Rolle Verwalter.');
    expect(textOf('en', 'export_ready', { ...FULL, exportState: 'FAILED' }).title).toBe(
      'Your export failed: audit trail',
    );
    expect(textOf('en', 'export_ready', FULL).title).toBe('Your export is ready: audit trail');
    expect(textOf('en', 'new_sign_in', FULL).text).toContain('from Firefox on Linux, address 2001:db8::7, on Jul 1');
    expect(textOf('en', 'security_alarm', { ...FULL, isOwnAccount: true }).title).toContain('to your account');
    expect(textOf('en', 'security_alarm', { ...FULL, scope: 'own' }).title).toBe('Many failed sign-ins');
  });

  it.each([
    ['HTML', '<b>Door</b><img src=x onerror=alert(1)>'],
    ['links', 'https://evil.example/now www.evil.example evil.example eve@evil.example http:evil.example'],
    ['lines', 'Door\r\nBcc: all@example.com\n\n\u2028\u2029\u0085Your account is closed'],
    ['turned writing', '\u202egnp.rood\u202c\u2066x\u2069\u200f'],
    ['10,000 characters', '🚪'.repeat(10_000)],
    ['ICU syntax', "{x, plural, one {#} other {{device}}} '{' {0} <x>"],
    ['a missing name', 'none'],
    ['members of objects', 'constructor'],
    ['more of them', '__proto__'],
    ['nothing to see', '\u200b\u00ad \t'],
  ])('is neither broken nor followed where names are made of %s', (_, hostile) => {
    const values = Object.fromEntries(
      Object.keys(FULL).map((name) => [name, hostile]),
    ) as unknown as NotificationValues;
    const texts = LANGUAGES.flatMap((language) => [
      ...NOTIFICATION_KINDS.map((kind) => textOf(language, kind, values, hostile)),
      digestOf(
        language,
        NOTIFICATION_KINDS.map((kind) => ({ kind, values, at: new Date(AT) })),
        hostile,
      ),
    ]);
    for (const text of texts) {
      expectHarmless(text);
      expect(text.text).not.toContain('🚪'.repeat(61));
    }
  });

  it('takes values of another type, and of another release, for missing', () => {
    for (const odd of [42, -1, Number.NaN, true, null, {}, ['x'], () => 'x']) {
      const values = Object.fromEntries(Object.keys(FULL).map((name) => [name, odd])) as unknown as NotificationValues;
      const texts = NOTIFICATION_KINDS.map((kind) => textOf('en', kind, values));
      expect(texts.map(({ text }) => text).join()).not.toMatch(/[{}]|undefined|null|NaN|\[object|true|=>|Invalid/);
    }
  });

  function expectHarmless({ title, text }: NotificationText): void {
    expect(title.length).toBeLessThanOrEqual(120);
    expect(text.length).toBeLessThanOrEqual(4_000);
    expect(title).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    expect(`${title} ${text}`).not.toMatch(/https?:|www\.|\.example|\S@|[<>]|^Bcc/im);
    const html = mailHtml({ subject: title, text }, 'https://doors.example.com/');
    expect(html).not.toMatch(/href=|<img|<b>|onerror=(?!alert)/);
  }
});

describe('digestOf', () => {
  it('counts what says the same in one line, below what kind it is', () => {
    const items = [
      item('low_battery', 'Back door', 0),
      ...[1, 2, 3].map((minute) => item('low_battery', 'Front door', minute)),
      item('device_offline', 'Front door', 5),
    ];
    const { title, text, language } = digestOf('en-GB', items, 'Europe/London');
    expect({ title, language }).toEqual({ title: '5 notifications', language: 'en-GB' });
    expect(text.replaceAll(/[^\S\n]/g, ' ').split('\n')).toEqual([
      '5 notifications, from 1 Jul 2026, 14:03 BST to 1 Jul 2026, 14:08 BST',
      '',
      'Battery low (4)',
      '- “Front door”: 3 times, last on 1 Jul, 14:06',
      '- “Back door”: 1 Jul, 14:03',
      '',
      'Offline (1)',
      '- “Front door”: 1 Jul, 14:08',
    ]);
    const german = digestOf('de', items.slice(0, 4), 'Europe/Berlin');
    expect(german.title).toBe('Batterie schwach: 4');
    expect(german.text).toContain('- „Front door“: 3-mal, zuletzt am 1. Juli, 15:06');
  });

  it('shows at most 50 lines, some of every kind, and counts the rest', () => {
    const flood = Array.from({ length: 5_000 }, (_, index) => item('low_battery', `Door ${String(index)}`, index));
    const few = NOTIFICATION_KINDS.slice(2).map((kind) => item(kind, 'Front door', 0));
    const { text } = digestOf('en', [...flood, ...few], 'UTC');
    const [, ...sections] = text.split('\n\n');
    const lines = sections.flatMap((section) => section.split('\n'));
    expect(lines).toHaveLength(50);
    expect(sections).toHaveLength(1 + few.length);
    expect(sections.every((section) => section.split('\n').length > 1)).toBe(true);
    expect(lines[1]).toContain('“Door 4999”');
    const shown = lines.filter((line) => line.includes('“Door ')).length;
    expect(sections[0]).toMatch(new RegExp(`\n- and ${(5_000 - shown).toLocaleString('en')} more$`));
    const other = flood.map((one) => ({ ...one, kind: 'device_offline' as const }));
    const both = digestOf('en', [...flood, ...other], 'UTC')
      .text.split('\n\n')
      .slice(1);
    expect(both.map((section) => section.split('\n').length)).toEqual([25, 25]);
    expect(text).toContain(`${(5_000 + few.length).toLocaleString('en')} notifications, from`);
  });

  it('keeps to 4,000 characters, and ends with a whole line', () => {
    const items = Array.from({ length: 200 }, (_, index) =>
      item('low_battery', `${'🚪'.repeat(55)}${String(index)}`, index),
    );
    const { text } = digestOf('de', items, 'Europe/Berlin');
    expect(text.length).toBeLessThanOrEqual(4_000);
    expect(text.length).toBeGreaterThan(2_500);
    expect(text).toMatch(/\n- und \d+ weitere$/);
  });

  it('is the text itself of one, and of none says so', () => {
    const one = item('door_forced', 'Front door', 0);
    expect(digestOf('de', [one], 'Europe/Berlin')).toEqual(textOf('de', 'door_forced', one.values, 'Europe/Berlin'));
    expect(digestOf('en', [], 'UTC')).toMatchObject({ title: '0 notifications', language: 'en' });
  });
});
