import { IsIn } from 'class-validator';
import { IfGiven } from '../../platform/http/members/if-given.js';
import {
  KEY_PURPOSES,
  type KeyPurpose,
  type KeyRecord,
  type KeyState,
  type SigningAlgorithm,
} from '../../platform/keys/signing-key.js';

/** Which keys to rotate. */
export class RotateKeysDto {
  /**
   * `access_token` (JWTs) or `order` (what locks obey); both if it is left out.
   * @example access_token
   */
  @IfGiven()
  @IsIn(KEY_PURPOSES)
  purpose?: KeyPurpose;
}

/** A signing key; its private half never leaves the server. */
export class SigningKeyDto {
  /**
   * RFC 7638 thumbprint: the `kid` in tokens and orders.
   * @example NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs
   */
  kid!: string;

  /** @example access_token */
  purpose!: KeyPurpose;

  /**
   * JWA name.
   * @example RS256
   */
  alg!: SigningAlgorithm;

  /**
   * `next` is published but does not sign yet, `active` signs, `passive` only verifies, `retired` does neither.
   * @example active
   */
  state!: KeyState;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  createdAt!: string;

  /**
   * When it entered its state. RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  changedAt!: string;
}

/** The latest 200 keys, the newest first. */
export class SigningKeyListDto {
  items!: SigningKeyDto[];
}

export function toSigningKeyListDto(keys: readonly KeyRecord[]): Readonly<SigningKeyListDto> {
  return { items: keys.map(toSigningKeyDto) };
}

function toSigningKeyDto({ kid, purpose, algorithm, state, createdAt, changedAt }: KeyRecord): Readonly<SigningKeyDto> {
  return {
    kid,
    purpose,
    alg: algorithm,
    state,
    createdAt: createdAt.toISOString(),
    changedAt: changedAt.toISOString(),
  };
}
