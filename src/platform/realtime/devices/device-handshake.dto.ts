import { Equals, IsString, MaxLength } from 'class-validator';
import type { DeviceHandshake } from '../../../contracts/device-sockets.js';
import { IsId } from '../../http/members/id.decorator.js';
import { OftenCalled } from '../../http/validation/often-called.decorator.js';

/** What a device sends as `auth` when it connects. */
export class DeviceHandshakeDto implements DeviceHandshake {
  /** What connects. */
  @Equals('device')
  @OftenCalled('client', 'type')
  clientType!: 'device';

  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  @IsId()
  @OftenCalled('id', 'device', 'username')
  deviceId!: string;

  /**
   * The token that the registration of the device answered with.
   * @example 3q2-7wTQ0bL1v0Zk5yqfG2v8m1cJr6xN4tYpA9sHdEo
   */
  @IsString()
  @MaxLength(4_096)
  @OftenCalled('deviceToken', 'password', 'key')
  token!: string;
}
