/** docs/troubleshooting.md names what exists: codes, settings, metrics, pages and their sections. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { REFUSAL_CODES } from '../../src/contracts/commands.js';
import { ROOT } from '../../tools/stack/paths.js';
import { sourceFiles } from '../support/source-rules.js';

const page = readFileSync(join(ROOT, 'docs', 'troubleshooting.md'), 'utf8');
/** Words of MQTT, Mosquitto and other pages, in the spelling of a code. */
const NO_CODES = ['password_file'];

const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

describe('docs/troubleshooting.md', () => {
  it('names codes, events and settings that there are', async () => {
    const sources = (await sourceFiles()).map(({ text }) => text).join('\n');
    const named = [...page.matchAll(/`([a-z]+(?:_[a-z]+)+|[A-Z]+(?:_[A-Z]+)+)`/g)].map(([, code = '']) => code);
    expect(named.length).toBeGreaterThan(30);
    const known = (code: string): boolean =>
      new RegExp(`['"\`]${code}['"\`]|\\b${code}:|\\b${code} =`).test(sources) || NO_CODES.includes(code);
    expect([...new Set(named)].filter((code) => !known(code))).toEqual([]);
  });

  it('has a cure for what a lock refuses by no fault of the app', () => {
    const faults = REFUSAL_CODES.filter((code) => !['malformed_order', 'wrong_device', 'stale_counter'].includes(code));
    const byFirmware = faults.filter((code) => !['unknown_command', 'invalid_payload'].includes(code));
    expect(byFirmware.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
  });

  it('links to sections that there are', () => {
    const links = [...page.matchAll(/\]\(([\w./-]+\.md)(?:#([\w-]+))?\)/g)];
    expect(links.length).toBeGreaterThan(5);
    const broken = links.filter(([, file = '', anchor]) => {
      const path = join(ROOT, 'docs', file);
      const headings = existsSync(path) ? [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)] : [];
      return !headings.some(([, heading = '']) => anchor === undefined || anchorOf(heading) === anchor);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });
});
