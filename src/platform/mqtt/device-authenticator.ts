/** Which device logged in, and the SHA-256 of the token with which it did. */
export interface DeviceLogin {
  readonly deviceId: string;
  readonly tokenHash: Buffer;
}

/** Whether a device may talk to us. The embedded broker asks; features/devices answers. */
export abstract class DeviceAuthenticator {
  /** Whether `token` is a valid token of this device. */
  abstract verify(deviceId: string, token: string): Promise<boolean>;

  /** Those of these logins whose token is not valid any more, or whose device is gone. At most 1000 at a time. */
  abstract listEnded<L extends DeviceLogin>(logins: readonly L[]): Promise<L[]>;

  /** The owner of each of these devices, by device; a device that does not exist has none. */
  abstract listOwners(deviceIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
}
