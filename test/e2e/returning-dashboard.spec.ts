/**
 * A dashboard that comes back while others' houses live on. Seen to fail: with a join that waited until nothing at all
 * had been delivered since the person's own last event, and read the log again and again meanwhile.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { EventLog } from '../../src/platform/events/event-log.js';
import { TestApp } from '../support/test-app.js';
import { Dashboard } from '../support/dashboard.js';
import { type Account, createAccount } from '../support/accounts.fixture.js';
import { registerDevice, type RegisteredDevice, sendCommand } from '../support/devices.fixture.js';

let application: TestApp;
let ada: Account;
let grace: Account;
let hers: RegisteredDevice;
let theirs: RegisteredDevice;

beforeAll(async () => {
  application = await TestApp.start();
  ada = await createAccount(application.url, 'ada');
  grace = await createAccount(application.url, 'grace');
  hers = await registerDevice(application.url, ada);
  theirs = await registerDevice(application.url, grace);
});

afterAll(() => application.stop());

/** A command that waits in the queue: its event is all that happens. */
async function queue(person: Account, { id }: RegisteredDevice): Promise<string> {
  return (await sendCommand(application.url, person, id, { name: 'lock_door' })).body.id;
}

describe('A dashboard that returns', () => {
  it('joins although the last event was about another account’s device', async () => {
    const before = await Dashboard.signedIn(application.url, ada.accessToken);
    const first = await queue(ada, hers);
    const seen = await before.expect('her command', ({ message }) => message.commandId === first);
    before.close();

    const neighbour = await Dashboard.signedIn(application.url, grace.accessToken);
    const other = await queue(grace, theirs);
    await neighbour.expect('the neighbour’s command', ({ message }) => message.commandId === other);

    const reads = jest.spyOn(application.get(EventLog), 'feedPage');
    const after = await Dashboard.signedIn(application.url, ada.accessToken, seen.message.cursor);
    for (let n = 0; n < 10; n += 1) {
      await queue(grace, theirs);
    }
    expect(reads).toHaveBeenCalledTimes(1);
    reads.mockRestore();
    const second = await queue(ada, hers);
    await after.expect('what happens now', ({ message }) => message.commandId === second);
    expect(after.received.map(({ message }) => message.commandId)).toEqual([second]);
    expect(after.resyncs).toEqual([]);
    [neighbour, after].forEach((dashboard) => {
      dashboard.close();
    });
  });

  it('misses nothing and hears nothing twice while its own devices go on', async () => {
    const first = await Dashboard.signedIn(application.url, ada.accessToken);
    const start = await queue(ada, hers);
    const seen = await first.expect('her command', ({ message }) => message.commandId === start);
    first.close();
    const given: string[] = [];
    const writing = (async () => {
      for (let n = 0; n < 40; n += 1) {
        given.push(await queue(ada, hers));
      }
    })();
    const returned = await Promise.all(
      Array.from({ length: 5 }, () => Dashboard.signedIn(application.url, ada.accessToken, seen.message.cursor)),
    );
    await writing;
    for (const dashboard of returned) {
      await dashboard.expect('the last one', ({ message }) => message.commandId === given.at(-1));
      expect(dashboard.received.map(({ message }) => message.commandId)).toEqual(given);
      dashboard.close();
    }
  });
});
