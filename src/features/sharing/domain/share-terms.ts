import type { FieldError } from '../../../shared/domain-error.js';
import type { ShareTerms } from './device-access.js';

/** What is wrong with the terms of a share that is given or changed. */
export function faultsOf({ from, until }: Pick<ShareTerms, 'from' | 'until'>, at: Date): FieldError[] {
  if (until !== null && from !== null && until <= from) {
    return [{ detail: '`until` must be later than `from`', pointer: '/until' }];
  }
  return until !== null && until <= at ? [{ detail: '`until` must be in the future', pointer: '/until' }] : [];
}

/** The members in which terms differ. */
export function changedMembers(before: ShareTerms, after: ShareTerms): (keyof ShareTerms)[] {
  const members = ['permission', 'from', 'until', 'schedule', 'suspended'] as const;
  return members.filter((member) => JSON.stringify(before[member]) !== JSON.stringify(after[member]));
}
