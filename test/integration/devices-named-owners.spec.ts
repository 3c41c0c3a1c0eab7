/** What a maker may do to people whose addresses it names: it neither fills their accounts nor mails to everybody. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { insertAccount, type InsertedAccount, uniqueEmail } from '../support/accounts.fixture.js';
import { deviceClient } from '../support/devices.fixture.js';
import { TestApp } from '../support/test-app.js';

interface Row {
  claimCode: string | null;
  claimed: boolean;
  mailed: boolean;
}

let application: TestApp;

beforeAll(async () => {
  application = await TestApp.start({
    env: {
      ...{ ROLES: 'api', REGISTRATION: 'verified', MAX_DEVICES_PER_USER: '6' },
      ...{ RATE_LIMIT_SCALE: '1', RATE_LIMIT_PROVISIONING_MAIL: '4/1h' },
    },
  });
}, 60_000);

afterAll(() => application.stop());

const ask = deviceClient(() => application.url);

describe('A maker who names owners', () => {
  const named = (ownerEmail: string): object => ({ hardwareId: randomUUID(), ownerEmail });
  const loadAs = async (who: InsertedAccount, devices: object[]): Promise<Row[]> =>
    (await ask<{ results: Row[] }>(who, 'POST', '/provision', { devices })).body.results;

  // Seen to fail: a maker filled the account of a person, who could register nothing any more.
  it('gives an account no more than half of what it may own, and mails it the codes of the others', async () => {
    const other = await insertAccount(application, { role: 'MAKER' });
    const person = await insertAccount(application);
    const rows = await loadAs(
      other,
      Array.from({ length: 5 }, () => named(person.email)),
    );
    expect(rows.map(({ claimed, mailed }) => [claimed, mailed])).toEqual([
      ...Array<boolean[]>(3).fill([true, false]),
      ...Array<boolean[]>(2).fill([false, true]),
    ]);
    const register = async (): Promise<number> =>
      (await ask(person, 'POST', '', { name: 'Door', hardwareId: randomUUID() })).status;
    expect([await register(), await register(), await register(), await register()]).toEqual([201, 201, 201, 409]);
  });

  // Seen to fail: each row was a mail to whoever the maker named, under a name that the maker chose.
  it('causes so many mails an hour, and has the codes beyond them', async () => {
    const other = await insertAccount(application, { role: 'MAKER' });
    const strangers = Array.from({ length: 6 }, () => named(uniqueEmail('nobody')));
    const rows = await loadAs(other, strangers);
    expect(rows.map(({ mailed, claimCode }) => [mailed, claimCode !== null])).toEqual([
      ...Array<boolean[]>(4).fill([true, false]),
      ...Array<boolean[]>(2).fill([false, true]),
    ]);
    const again = await loadAs(other, [named(uniqueEmail('nobody'))]);
    const ofNeighbour = await loadAs(await insertAccount(application, { role: 'MAKER' }), [
      named(uniqueEmail('nobody')),
    ]);
    expect([again[0]?.mailed, ofNeighbour[0]?.mailed]).toEqual([false, true]);
  });
});
