import { DEVICE_SOCKET_PATH } from '../../contracts/device-sockets.js';
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

/** This process stops; another one goes on. */
@AsProblem({
  code: 'shutting_down',
  kind: 'unavailable',
  meaning: 'This server process stops.',
  cause: 'A new version is being installed, or the server was stopped.',
  cure: 'Connect again after `Retry-After`; another process answers.',
})
export class ShuttingDownError extends DomainError {
  constructor() {
    super('This server process stops. Connect again.', { retryAfter: 1 });
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
