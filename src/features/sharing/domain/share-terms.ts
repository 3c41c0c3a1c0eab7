import { grants } from '../../../contracts/devices.js';
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

/** Whether terms give more, or at other times, than those before: then it takes the right to give. */
export function widens(before: ShareTerms, after: ShareTerms): boolean {
  const higher = after.permission !== before.permission && grants(after.permission, before.permission);
  const resumed = before.suspended && !after.suspended;
  const otherHours = JSON.stringify(before.schedule) !== JSON.stringify(after.schedule);
  return higher || resumed || otherHours || beginOf(after) < beginOf(before) || endOf(after) > endOf(before);
}

function beginOf({ from }: ShareTerms): number {
  return from?.getTime() ?? -Infinity;
}

function endOf({ until }: ShareTerms): number {
  return until?.getTime() ?? Infinity;
}
