import { sendCommand } from './devices.fixture.js';
import { request } from './rest.js';
import type { TwoTenants } from './two-tenants.js';
import { eventually } from './wait.js';

/** Orders of Ada's that what a device says could still change, and time does not. */
export interface OpenOrders {
  /** A `firmware_update` that was sent, and waits for ten minutes. */
  readonly sent: string;
  /** An `unlock_door` that was executed: a report of its bolt would confirm it once more. */
  readonly executed: string;
}

/** A good payload of a `firmware_update`. */
export const FIRMWARE = {
  version: '2.4.1',
  url: 'https://example.com/f.bin',
  sha256: 'a'.repeat(64),
  signature: 'A'.repeat(86),
};

/** Lets Ada's device carry out what it was ordered, and gives it two orders more. */
export async function giveOpenOrders(tenants: TwoTenants): Promise<OpenOrders> {
  const { application, ada, hers, line } = tenants;
  const order = async (name: string, payload = {}): Promise<string> =>
    (await sendCommand(application.url, ada, hers.id, { name, payload })).body.id;
  await eventually('her device is online', async () => (await recordOf(tenants)).device.status === 'online');
  const [executed, sent] = [await order('unlock_door'), await order('firmware_update', FIRMWARE)];
  const told = new Set([sent]);
  await eventually('all but the update is executed', async () => {
    for (const { commandId } of line.hers.orders.filter(({ commandId }) => !told.has(commandId))) {
      told.add(commandId);
      await line.hers.ack({ commandId, status: 'executed' });
    }
    const { commands } = await recordOf(tenants);
    return commands.every(({ id, state }) => state === (id === sent ? 'SENT' : 'EXECUTED'));
  });
  return { executed, sent };
}

type Members = Readonly<Record<string, unknown>>;

/** What a stranger must not change of a device. */
export interface DeviceRecord {
  readonly device: Members;
  readonly settings: Members;
  readonly commands: readonly Members[];
  readonly events: readonly Members[];
}

/**
 * Ada's view of her device, its history and its commands. Times of reports are left out, and so is each sending of an order: as
 * long as it is not answered, it is sent again.
 */
export async function recordOf({
  application,
  ada,
  hers,
}: Pick<TwoTenants, 'application' | 'ada' | 'hers'>): Promise<DeviceRecord> {
  const read = async (path: string, members: string): Promise<[Members, ...Members[]]> => {
    const url = `/api/v1/devices/${hers.id}${path}`;
    const { status, body } = await request(application.url, 'GET', url, { token: ada.accessToken });
    if (status !== 200) {
      throw new Error(`Reading ${url} failed: ${JSON.stringify(body)}`);
    }
    const rows = (body.items as Members[] | undefined) ?? [body];
    const chosen = rows.map((row) => Object.fromEntries(members.split(' ').map((member) => [member, row[member]])));
    return chosen as [Members, ...Members[]];
  };
  const [[device], [settings], commands, events] = await Promise.all([
    read('', 'name room status links firmwareVersion lockState doorState battery rssi organizationId'),
    read('/settings', 'desired reported version'),
    read('/commands?limit=200', 'id state confirmedBy result errorMessage lateResult'),
    read('/events?limit=200', 'id type payload'),
  ]);
  return { device, settings, commands, events: events.filter(({ type }) => type !== 'command_sent') };
}
