/**
 * Platform role of a person. `ADMIN` manages accounts and operations, `MAKER` loads devices that others claim; neither gives
 * access to devices.
 */
export const PLATFORM_ROLES = ['USER', 'MAKER', 'ADMIN'] as const;
export type PlatformRole = (typeof PLATFORM_ROLES)[number];

/** Who is asking, as their access token and a live session say. */
export interface Principal {
  readonly userId: string;
  readonly sessionId: string;
  readonly role: PlatformRole;
}
