import { type PlatformRole } from '../../platform/auth/principal.js';
import type { User } from './users.types.js';

/** An account, as its owner sees it. */
export class UserDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  id!: string;

  /**
   * Lower case.
   * @example ada@example.com
   */
  email!: string;

  /**
   * Second name to sign in with; null where there is none.
   * @example ada
   */
  username!: string | null;

  /**
   * What others see.
   * @example Ada Lovelace
   */
  displayName!: string;

  /**
   * `ADMIN` manages accounts and operations; it opens nobody's door.
   * @example USER
   */
  role!: PlatformRole;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  createdAt!: string;
}

export function toUserDto(user: User): Readonly<UserDto> {
  return {
    id: user.id,
    email: user.email,
    username: user.username,
    displayName: user.displayName,
    role: user.role,
    createdAt: user.createdAt.toISOString(),
  };
}
