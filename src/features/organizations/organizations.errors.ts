import { DomainError, type FieldError } from '../../shared/domain-error.js';

export class OrganizationNotFoundError extends DomainError {
  readonly code = 'organization_not_found';
  readonly kind = 'not_found';
  constructor(organizationId: string) {
    super('There is no such organization.', { organizationId });
  }
}

export class OrganizationChangedError extends DomainError {
  readonly code = 'organization_changed';
  readonly kind = 'precondition_failed';
  constructor() {
    super('The organization is not in the version that If-Match names. Read it again.');
  }
}

export class MemberNotFoundError extends DomainError {
  readonly code = 'member_not_found';
  readonly kind = 'not_found';
  constructor(userId: string) {
    super('There is no such member of this organization.', { userId });
  }
}

export class AlreadyMemberError extends DomainError {
  readonly code = 'already_member';
  readonly kind = 'conflict';
  constructor() {
    super('This person is a member of the organization already.');
  }
}

export class LastOwnerError extends DomainError {
  readonly code = 'last_owner';
  readonly kind = 'conflict';
  constructor() {
    super('An organization always has an owner: make another member an owner first, or delete it.');
  }
}

/** The account of a member who was to be an owner is blocked. */
export class MemberCannotActError extends DomainError {
  readonly code = 'member_cannot_act';
  readonly kind = 'conflict';
  constructor() {
    super('The account of this member cannot act at present, so it cannot own the organization.');
  }
}

export class TooManyOrganizationsError extends DomainError {
  readonly code = 'too_many_organizations';
  readonly kind = 'conflict';
  constructor(limit: number) {
    super('You are a member of as many organizations as one account may be. Leave one first.', { limit });
  }
}

export class InvitationNotFoundError extends DomainError {
  readonly code = 'invitation_not_found';
  readonly kind = 'not_found';
  constructor(invitationId: string) {
    super('There is no such open invitation of this organization.', { invitationId });
  }
}

/** The same answer for a token that is unknown, used, expired, revoked, or for another e-mail address. */
export class InvalidInvitationError extends DomainError {
  readonly code = 'invalid_invitation';
  readonly kind = 'unprocessable';
  override readonly errors: readonly FieldError[] = [{ detail: 'is not valid, or not for you', pointer: '/token' }];

  constructor() {
    super('This invitation is not valid any more, or it is for another e-mail address.');
  }
}

export class TransferToSelfError extends DomainError {
  readonly code = 'transfer_to_self';
  readonly kind = 'unprocessable';
  override readonly errors: readonly FieldError[] = [{ detail: 'must be another member', pointer: '/userId' }];

  constructor() {
    super('The organization is yours already.');
  }
}

export class TooManyInvitationsError extends DomainError {
  readonly code = 'too_many_invitations';
  readonly kind = 'conflict';
  constructor(limit: number) {
    super('Too many invitations are open. Revoke some, or wait until they are answered.', { limit });
  }
}
