import { Equals, IsBoolean, IsJWT, IsString, MaxLength } from 'class-validator';
import type { DashboardHandshake } from '../../contracts/realtime.js';
import { IfGiven, OrNull } from '../../platform/http/members/if-given.js';
import { OftenCalled } from '../../platform/http/validation/often-called.decorator.js';

/** What a dashboard sends as `auth` when it connects. */
export class DashboardHandshakeDto implements DashboardHandshake {
  /**
   * An access token.
   * @example eyJhbGciOiJSUzI1NiIsImtpZCI6Ii4uLiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl
   */
  @IsJWT()
  @MaxLength(4_096)
  @OftenCalled('accessToken', 'bearer', 'authorization')
  token!: string;

  /** What connects. */
  @Equals('dashboard')
  @OftenCalled('client', 'type')
  clientType!: 'dashboard';

  /**
   * The last `cursor` that the dashboard got: the events after it are sent first. Null, as when left out: from now on.
   * @example MS4xMjM0NS42Nzg5
   */
  @OrNull()
  @IsString()
  @MaxLength(512)
  @OftenCalled('cursor')
  lastCursor?: string | null;

  /** True: events of a short window come together, as `events`. */
  @IfGiven()
  @IsBoolean()
  @OftenCalled('batching', 'batched')
  batch?: boolean;
}
