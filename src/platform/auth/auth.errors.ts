import { MEANT_BY } from '../../contracts/resources.js';
import type { SessionEnd } from '../../contracts/sessions.js';
import { NOT_FOUND } from '../../shared/common-problems.js';
import { AsProblem, DomainError } from '../../shared/domain-error.js';

/** The request brings no access token. */
@AsProblem({
  code: 'unauthenticated',
  kind: 'unauthenticated',
  meaning: 'The request does not show who sends it.',
  cause: 'The header `Authorization` is missing, or is something else than `Bearer` and an access token.',
  cure: 'Send the access token that `POST /auth/login` answers; let the user log in first.',
})
export class UnauthenticatedError extends DomainError {
  /** @param scheme whether there are credentials, but not as a bearer token. */
  constructor(scheme: 'none' | 'other' = 'none') {
    super(
      scheme === 'none'
        ? 'Sign in first: this needs the header `Authorization: Bearer <access token>`.'
        : 'Sign in first: the header `Authorization` must be `Bearer <access token>`, and it is something else.',
    );
  }
}

/** It was good once: a refresh token gets the next one. */
@AsProblem({
  code: 'token_expired',
  kind: 'unauthenticated',
  meaning: 'The access token has expired.',
  cause: 'It lives for minutes: `expiresIn` says how many seconds.',
  cure: 'Refresh the session with the refresh token, and send the request again.',
})
export class TokenExpiredError extends DomainError {
  override readonly challenge = 'The access token expired';

  constructor(options?: ErrorOptions) {
    super('The access token has expired. Get the next one with the refresh token (POST /auth/refresh).', {}, options);
  }
}

/** No token of this installation, or one that was changed, or whose key does not count any more. */
@AsProblem({
  code: 'token_invalid',
  kind: 'unauthenticated',
  meaning: 'The access token is not valid.',
  cause: 'It is none of this installation, was changed or cut, or the key that signed it was withdrawn.',
  cure: 'Refresh the session once with the refresh token. Where that is refused, let the user log in again.',
})
export class TokenInvalidError extends DomainError {
  override readonly challenge = 'The access token is not valid';

  constructor(options?: ErrorOptions) {
    super(
      'The access token is none of this installation, or it was changed or withdrawn. Refresh the session, or sign in again.',
      {},
      options,
    );
  }
}

/** The token is genuine, but its session is over: who holds it may know why, in `reason`. A refresh does not help. */
@AsProblem(
  {
    code: 'session_ended',
    kind: 'unauthenticated',
    meaning: 'The session is over.',
    cause:
      'It was ended by the user, by an administrator, by a change of the account, or by its time: `reason` says which.',
    cure: 'Let the user log in again. A refresh is refused, too.',
  },
  'revoked',
)
export class SessionEndedError extends DomainError {
  override readonly challenge = 'The session has ended';
  override readonly members: Readonly<Record<string, string>>;

  constructor(reason: SessionEnd, message = 'This session has ended. Sign in again.') {
    super(message);
    this.members = { reason };
  }
}

/** It has a code of its own: the user only signed in on one device more. */
@AsProblem({
  code: 'session_evicted',
  kind: 'unauthenticated',
  meaning: 'The session was ended because the user signed in on more devices than are allowed at a time.',
  cause: 'A newer session took its place.',
  cure: 'Tell the user so, and let them log in again on this device if they want to.',
})
export class SessionEvictedError extends SessionEndedError {
  constructor() {
    super(
      'evicted',
      'This session was ended because you signed in on more devices than are allowed at a time. Sign in again.',
    );
  }
}

/** The refusal of a token whose session is over. */
export const sessionEnded = (reason: SessionEnd): SessionEndedError =>
  reason === 'evicted' ? new SessionEvictedError() : new SessionEndedError(reason);

/** What it takes is told to programs, too: `required`. */
@AsProblem(
  {
    code: 'forbidden',
    kind: 'forbidden',
    meaning: 'You are signed in, and may not do this.',
    cause: 'The route needs a permission or a role that you do not have on this resource: `required` names it.',
    cure: 'Ask its owner for the permission, or sign in as somebody who has it.',
  },
  'admin',
)
export class ForbiddenError extends DomainError {
  override readonly members: Readonly<Record<string, string>>;

  /** @param demand `admin` or `maker`, or what it takes of a resource, such as `device:control`. */
  constructor(demand: string) {
    const [kind, level] = demand.split(':', 2);
    const meant = MEANT_BY[demand];
    super(
      meant === undefined
        ? `This takes \`${String(level)}\` of the ${String(kind)}, which you do not have.`
        : `This is for ${meant}.`,
      { required: demand },
    );
    this.members = { required: demand };
  }
}

/** Also the answer for a resource of another user, so that it does not tell whether the resource exists. */
@AsProblem(NOT_FOUND, 'resource')
export class ResourceNotFoundError extends DomainError {
  /** @param isId whether it was asked for by what can be an id at all. */
  constructor(kind: string, { isId = true } = {}) {
    super(isId ? `There is no such ${kind}, or it is not yours.` : `There is no such ${kind}: its id must be a UUID.`, {
      resource: kind,
    });
  }
}
