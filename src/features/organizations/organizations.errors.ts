import { LAST_OWNER } from '../../shared/common-problems.js';
import { DomainError, type FieldError, AsProblem } from '../../shared/domain-error.js';

@AsProblem(
  {
    code: 'organization_not_found',
    kind: 'not_found',
    meaning: 'There is no such organization.',
    cause: 'It was deleted while the request was under way.',
    cure: 'Read the list again.',
  },
  '0198c1de-3f5b-7000-8000-3f3c0f6a7a55',
)
export class OrganizationNotFoundError extends DomainError {
  constructor(organizationId: string) {
    super('There is no such organization.', { organizationId });
  }
}

@AsProblem({
  code: 'organization_changed',
  kind: 'precondition_failed',
  meaning: 'The organization is not in the version that `If-Match` names.',
  cause: 'It was changed after you read it.',
  cure: 'Read it again, decide again, and send the change with the new `ETag`.',
})
export class OrganizationChangedError extends DomainError {
  constructor() {
    super('The organization is not in the version that If-Match names. Read it again.');
  }
}

@AsProblem(
  {
    code: 'member_not_found',
    kind: 'not_found',
    meaning: 'The organization has no such member.',
    cause: 'The id is wrong, or the person left.',
    cure: 'Read the members again.',
  },
  '0198c1de-3f5b-7000-8000-3f3c0f6a7a55',
)
export class MemberNotFoundError extends DomainError {
  constructor(userId: string) {
    super('There is no such member of this organization.', { userId });
  }
}

@AsProblem({
  code: 'already_member',
  kind: 'conflict',
  meaning: 'The person is a member of the organization.',
  cause: 'They joined before.',
  cure: 'Change their role instead, if that is what you want.',
})
export class AlreadyMemberError extends DomainError {
  constructor() {
    super('This person is a member of the organization already.');
  }
}

@AsProblem(LAST_OWNER)
export class LastOwnerError extends DomainError {
  constructor() {
    super('An organization always has an owner: make another member an owner first, or delete it.');
  }
}

/** The account of a member who was to be an owner is blocked. */
@AsProblem({
  code: 'member_cannot_act',
  kind: 'conflict',
  meaning: 'The account of this member cannot act at present.',
  cause: 'It is blocked, so it cannot own the organization.',
  cure: 'Choose another member.',
})
export class MemberCannotActError extends DomainError {
  constructor() {
    super('The account of this member cannot act at present, so it cannot own the organization.');
  }
}

@AsProblem(
  {
    code: 'too_many_organizations',
    kind: 'conflict',
    meaning: 'You are a member of as many organizations as one account may be.',
    cause: 'The limit of memberships was reached.',
    cure: 'Leave one first.',
  },
  100,
)
export class TooManyOrganizationsError extends DomainError {
  constructor(limit: number) {
    super('You are a member of as many organizations as one account may be. Leave one first.', { limit });
  }
}

@AsProblem(
  {
    code: 'invitation_not_found',
    kind: 'not_found',
    meaning: 'The organization has no such open invitation.',
    cause: 'It was answered, revoked, or has expired.',
    cure: 'Read the invitations again.',
  },
  '0198c1de-3f5b-7000-8000-3f3c0f6a7a55',
)
export class InvitationNotFoundError extends DomainError {
  constructor(invitationId: string) {
    super('There is no such open invitation of this organization.', { invitationId });
  }
}

/** The same answer for a token that is unknown, used, expired, revoked, or for another e-mail address. */
@AsProblem({
  code: 'invalid_invitation',
  kind: 'unprocessable',
  meaning: 'The invitation is not valid.',
  cause: 'It is unknown, was used or revoked, has expired, or is for another e-mail address.',
  cure: 'Sign in with the address that was invited, or ask for a new invitation.',
})
export class InvalidInvitationError extends DomainError {
  override readonly errors: readonly FieldError[] = [
    { detail: '`token` is not valid, or not for you', pointer: '/token' },
  ];

  constructor() {
    super('This invitation is not valid any more, or it is for another e-mail address.');
  }
}

@AsProblem({
  code: 'transfer_to_self',
  kind: 'unprocessable',
  meaning: 'The organization is yours.',
  cause: 'The new owner is the present one.',
  cure: 'Name another member.',
})
export class TransferToSelfError extends DomainError {
  override readonly errors: readonly FieldError[] = [{ detail: '`userId` must be another member', pointer: '/userId' }];

  constructor() {
    super('The organization is yours already.');
  }
}

@AsProblem(
  {
    code: 'too_many_invitations',
    kind: 'conflict',
    meaning: 'Too many invitations are open.',
    cause: 'The limit of open invitations of one organization was reached.',
    cure: 'Revoke some, or wait until they are answered.',
  },
  100,
)
export class TooManyInvitationsError extends DomainError {
  constructor(limit: number) {
    super('Too many invitations are open. Revoke some, or wait until they are answered.', { limit });
  }
}
