import { isIP } from 'node:net';
import { COMMAND_NAMES } from '../../../contracts/commands.js';
import { DEVICE_PERMISSIONS } from '../../../contracts/devices.js';
import { ORGANIZATION_ROLES } from '../../../contracts/resources.js';
import { plain } from '../../../platform/mail/mail-text.js';
import { EXPORT_TYPES } from '../../exports/exports.types.js';
import type { NotificationValues } from '../notifications.types.js';
import { formatted, type MessageArguments, momentIn } from './message-format.js';
import type { TextLanguage } from './text-language.js';

/** Stands for what is missing. Messages choose by it among arguments that no person writes, or that have quotes around them. */
const NONE = 'none';
const OTHER = 'other';
/** Without the zone of an IPv6 address, which is any word. */
const ADDRESS = /^[\d.:a-f]+$/i;

type Values = Readonly<Record<keyof NotificationValues, unknown>>;

/** What the messages of all kinds may name. Every argument has a value, whatever is missing in the row. */
export function textArguments(language: TextLanguage, given: NotificationValues, timeZone: string): MessageArguments {
  // They were read from a table: another release may have written them.
  const values = given as Values;
  const { words } = language.catalog;
  const name = (message: string, value: unknown): string => named(message, language.locale, value);
  const word = (message: string, value: unknown, known: readonly string[]): string =>
    formatted(message, language.locale, { word: wordOf(value, known) });
  return {
    device: name(words.device, values.deviceName),
    person: name(words.person, values.grantorName ?? values.inviterName),
    organization: name(words.organization, values.organizationName),
    program: name(words.program, values.program),
    code: nameOf(values.errorCode) === '' ? NONE : name(words.code, values.errorCode),
    command: word(words.command, values.command, COMMAND_NAMES),
    permission: word(words.permission, values.permission, DEVICE_PERMISSIONS),
    role: word(words.role, values.role, ORGANIZATION_ROLES),
    exported: word(words.exported, values.exportType, EXPORT_TYPES),
    state: values.exportState === 'FAILED' ? 'failed' : OTHER,
    battery: shareOf(values.battery),
    failures: countOf(values.failures),
    seconds: countOf(values.windowSeconds),
    scope: scopeOf(values),
    address: addressOf(values.address),
    at: momentOf(language, values.occurredAt, timeZone),
    seenAt: momentOf(language, values.lastSeenAt, timeZone),
  };
}

function named(message: string, locale: string, value: unknown): string {
  const name = nameOf(value);
  return formatted(message, locale, { name, given: name === '' ? 'no' : 'yes' });
}

/** Chosen by a person or a device. */
function nameOf(value: unknown): string {
  return typeof value === 'string' ? plain(value) : '';
}

function wordOf(value: unknown, known: readonly string[]): string {
  return typeof value === 'string' && known.includes(value) ? value : OTHER;
}

/** Of percent, what makes a whole of one. */
function shareOf(value: unknown): number | typeof NONE {
  return typeof value === 'number' && value >= 0 && value <= 100 ? value / 100 : NONE;
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function scopeOf({ isOwnAccount, scope }: Values): string {
  return isOwnAccount === true ? 'own' : wordOf(scope, ['account']);
}

function addressOf(value: unknown): string {
  return typeof value === 'string' && isIP(value) > 0 && ADDRESS.test(value) ? value : NONE;
}

function momentOf({ locale }: TextLanguage, value: unknown, timeZone: string): string {
  const at = new Date(typeof value === 'string' ? value : Number.NaN);
  return Number.isNaN(at.getTime()) ? NONE : momentIn(locale, timeZone, at, 'full');
}
