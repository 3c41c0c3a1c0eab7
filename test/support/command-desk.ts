import { expect } from '@jest/globals';
import type { CommandHarness } from './command-harness.js';
import { sendCommand } from './devices.fixture.js';
import { type Answer, request } from './rest.js';

type SendOptions = NonNullable<Parameters<typeof sendCommand>[4]> & { readonly payload?: Record<string, unknown> };

/** The harness's owner at the API of commands. */
export class CommandDesk {
  constructor(private readonly harness: CommandHarness) {}

  send(deviceId: string, name: string, { payload, ...rest }: SendOptions = {}): ReturnType<typeof sendCommand> {
    const { app: running, owner } = this.harness;
    return sendCommand(running.url, owner, deviceId, { name, ...(payload ? { payload } : {}) }, rest);
  }

  /** @returns the id of a command that was taken. */
  async sendAccepted(deviceId: string, name: string): Promise<string> {
    const { status, body } = await this.send(deviceId, name);
    expect(status).toBe(202);
    return body.id;
  }

  request(method: string, path: string): Promise<Answer> {
    return request(this.harness.app.url, method, path, { token: this.harness.owner.accessToken });
  }
}

/** Where the commands of a device are. */
export function commandsPath(deviceId: string, rest = ''): string {
  return `/api/v1/devices/${deviceId}/commands${rest}`;
}
