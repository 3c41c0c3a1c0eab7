import { AsProblem, DomainError } from '../../shared/domain-error.js';

@AsProblem(
  {
    code: 'settings_changed',
    kind: 'conflict',
    meaning: 'The settings are not in the version that the change names.',
    cause: 'They were changed after you read them, by another person or in another window.',
    cure: 'Read them again, decide again, and send the change with the present `version`.',
  },
  4,
)
export class SettingsChangedError extends DomainError {
  /** @param version the present one */
  constructor(version: number) {
    super(`The settings were changed meanwhile: they are in version ${String(version)}.`, { version });
  }
}

@AsProblem({
  code: 'settings_precondition_failed',
  kind: 'precondition_failed',
  meaning: 'The settings are not in the version that `If-Match` names.',
  cause: 'They were changed after you read them.',
  cure: 'Read them again, decide again, and send the change with the new `ETag`.',
})
export class SettingsPreconditionError extends DomainError {
  constructor() {
    super('The settings are not in the version that If-Match names. Read them again.');
  }
}
