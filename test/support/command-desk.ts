import { expect } from '@jest/globals';
import type { CommandRig } from './command-rig.js';
import { type Answer, request, sendCommand } from './rest.js';

type SendOptions = NonNullable<Parameters<typeof sendCommand>[4]> & { readonly payload?: Record<string, unknown> };

/** The rig's owner at the API of commands. */
export class CommandDesk {
  constructor(private readonly rig: CommandRig) {}

  send(deviceId: string, name: string, { payload, ...rest }: SendOptions = {}): ReturnType<typeof sendCommand> {
    const { running, owner } = this.rig;
    return sendCommand(running.url, owner, deviceId, { name, ...(payload ? { payload } : {}) }, rest);
  }

  /** @returns the id of a command that was taken. */
  async accepted(deviceId: string, name: string): Promise<string> {
    const { status, body } = await this.send(deviceId, name);
    expect(status).toBe(202);
    return body.id;
  }

  ask(method: string, path: string): Promise<Answer> {
    return request(this.rig.running.url, method, path, { token: this.rig.owner.accessToken });
  }
}

/** Where the commands of a device are. */
export function commandsPath(deviceId: string, rest = ''): string {
  return `/api/v1/devices/${deviceId}/commands${rest}`;
}
