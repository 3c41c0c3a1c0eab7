/** Whether a device may talk to us. The embedded broker asks; features/devices answers. */
export abstract class DeviceAuthenticator {
  /** Whether `token` is a valid token of this device. */
  abstract verify(deviceId: string, token: string): Promise<boolean>;

  /** Which of these connected devices have no valid token left, or are gone. At most 1000 at a time. */
  abstract listRevoked(deviceIds: readonly string[]): Promise<string[]>;

  /** The owner of each of these devices, by device; a device that does not exist has none. */
  abstract listOwners(deviceIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
}
