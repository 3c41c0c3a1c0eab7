import { DEVICE_SOCKET_PATH } from '../../contracts/device-sockets.js';
import { RATE_LIMITED } from '../rate-limit/rate-limit.errors.js';
import { AsProblem, DomainError, type FieldError } from '../../shared/domain-error.js';

@AsProblem(
  {
    code: 'unknown_event',
    kind: 'not_found',
    meaning: 'There is no request of this name on sockets.',
    cause: 'The name is misspelled, or of a newer version.',
    cure: 'Take the name that `detail` suggests, or one of those that `/api/docs/asyncapi.json` lists.',
  },
  'subscribe_device',
)
export class UnknownEventError extends DomainError {
  /** @param meant the name that was probably meant */
  constructor(meant: string | undefined) {
    super(
      meant === undefined
        ? 'There is no request of this name. `/api/docs/asyncapi.json` lists those that there are.'
        : `There is no request of this name. Did you mean \`${meant}\`?`,
    );
  }
}

/** When clients of a process that stops come back, in seconds: not all at one moment. */
export const BACK_AFTER_STOP_S = [0.5, 2] as const;

/** This process stops; another one goes on. */
@AsProblem({
  code: 'shutting_down',
  kind: 'unavailable',
  meaning: 'This server process stops.',
  cause: 'A new version is being installed, or the server was stopped.',
  cure: 'Connect again after `Retry-After`; another process answers.',
})
export class ShuttingDownError extends DomainError {
  /** @param retryAfter in seconds */
  constructor(retryAfter = 1) {
    super('This server process stops. Connect again.', { retryAfter });
  }
}

/** A page of another site opened a socket. */
@AsProblem({
  code: 'origin_not_allowed',
  kind: 'forbidden',
  meaning: 'Pages of this origin may not connect.',
  cause: 'The page is neither of this installation nor of an origin that `CORS_ORIGINS` lists.',
  cure: 'Let the operator add the origin of the page, as the browser says it, to `CORS_ORIGINS`.',
})
export class OriginNotAllowedError extends DomainError {
  constructor() {
    super('Pages of this origin may not connect: `CORS_ORIGINS` does not list it.');
  }
}

/** A person has as many connections as one may have. */
@AsProblem(
  {
    code: 'too_many_connections',
    kind: 'too_many',
    meaning: 'The person has as many connections as one may have.',
    cause: 'Connections are opened and not closed, or one for each tab and device of a person is too many.',
    cure: 'Close those that are not needed; one connection hears everything that its person may see.',
  },
  100,
)
export class TooManyConnectionsError extends DomainError {
  constructor(limit: number) {
    super(`A person has at most ${String(limit)} connections to one process.`, { limit });
  }
}

/** Of the messages of one socket, and when the next one is admitted. */
interface MessageLimit {
  readonly perSecond: number;
  readonly burst: number;
  readonly waitMs: number;
}

/** One socket sends more than a client does. */
@AsProblem(RATE_LIMITED, { perSecond: 50, burst: 200, waitMs: 40 })
export class TooManyMessagesError extends DomainError {
  constructor({ perSecond, burst, waitMs }: MessageLimit) {
    super(
      `Too many messages of one connection: ${String(perSecond)} in a second, and ${String(burst)} more now and then.`,
      { retryAfter: Math.ceil(waitMs / 1_000) },
    );
  }
}

/** A device among dashboards, or a dashboard among devices. */
@AsProblem(
  {
    code: 'wrong_client_type',
    kind: 'invalid',
    meaning: 'This kind of client does not connect here.',
    cause: `Dashboards connect to the path \`/socket.io/\`, devices to \`${DEVICE_SOCKET_PATH}\`.`,
    cure: 'Take the path of your kind of client, and say the same kind in `clientType`.',
  },
  'device',
)
export class WrongClientTypeError extends DomainError {
  override readonly errors: readonly FieldError[];

  /** @param right who connects here */
  constructor(right: 'dashboard' | 'device') {
    const elsewhere =
      right === 'device' ? 'Dashboards connect to `/socket.io/`' : `Devices connect to \`${DEVICE_SOCKET_PATH}\``;
    super(`${elsewhere}; here \`clientType\` must be \`${right}\`.`);
    this.errors = [{ detail: `must be \`${right}\` on this path`, pointer: '/clientType' }];
  }
}
