import { ApiProperty } from '@nestjs/swagger';
import type { PublicJwk } from '../../platform/keys/key-store.js';

/** A public key (RFC 7517). */
export class JwkDto {
  /** @example RSA */
  kty!: string;

  /**
   * RFC 7638 thumbprint: the `kid` in the header of the tokens it verifies.
   * @example NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs
   */
  kid!: string;

  /** @example RS256 */
  alg!: string;

  /** @example sig */
  use!: 'sig';

  /**
   * Curve of an EdDSA key.
   * @example Ed25519
   */
  crv?: string;

  /**
   * Public point of an EdDSA key, base64url.
   * @example 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo
   */
  x?: string;

  /**
   * Modulus of an RSA key, base64url.
   * @example u1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gunVTLw7onLRnrq0
   */
  n?: string;

  /**
   * Exponent, base64url.
   * @example AQAB
   */
  e?: string;
}

/** The keys that verify access tokens. */
export class JwkSetDto {
  @ApiProperty({
    type: [JwkDto],
    example: [
      {
        kty: 'RSA',
        kid: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
        alg: 'RS256',
        use: 'sig',
        n: 'u1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gunVTLw7onLRnrq0',
        e: 'AQAB',
      },
      {
        kty: 'OKP',
        kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
        alg: 'EdDSA',
        use: 'sig',
        crv: 'Ed25519',
        x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
      },
    ],
  })
  keys!: JwkDto[];
}

export function toJwkSetDto(keys: readonly PublicJwk[]): Readonly<JwkSetDto> {
  return { keys: keys.map(toJwkDto) };
}

function toJwkDto({ kty, kid, alg, use, n, e, crv, x }: PublicJwk): Readonly<JwkDto> {
  return { kty, kid, alg, use, ...(n && e ? { n, e } : {}), ...(crv && x ? { crv, x } : {}) };
}
