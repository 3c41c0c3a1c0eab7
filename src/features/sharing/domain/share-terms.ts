import { grants } from '../../../contracts/devices.js';
import type { FieldError } from '../../../shared/domain-error.js';
import type { ShareChanges } from '../sharing.types.js';
import type { ShareTerms } from './device-access.js';

type ShareWindow = Pick<ShareTerms, 'from' | 'until'>;

/** What is wrong with the terms of a share that is given or changed. */
export function faultsOf({ from, until }: ShareWindow, at: Date): FieldError[] {
  if (until !== null && from !== null && until <= from) {
    return [{ detail: '`until` must be later than `from`', pointer: '/until' }];
  }
  return until !== null && until <= at ? [{ detail: '`until` must be in the future', pointer: '/until' }] : [];
}

/** What a share is after a change. What the change says itself counts for more than the rule that it has its schedule from. */
export function changedTerms(share: ShareTerms, changes: ShareChanges, at: Date): ShareTerms {
  const { from, until } = changes.within ? shortened(share, changes.within, at) : share;
  return {
    permission: changes.permission ?? share.permission,
    from: changes.from === undefined ? from : changes.from,
    until: changes.until === undefined ? until : changes.until,
    schedule: changes.schedule === undefined ? share.schedule : changes.schedule,
    suspended: changes.suspended ?? share.suspended,
  };
}

/** A window that lies within another one, too. One that has begun says nothing of the begin. */
function shortened(share: ShareWindow, within: ShareWindow, at: Date): ShareWindow {
  const isYetToBegin = within.from !== null && within.from > at;
  return {
    from: isYetToBegin && beginOf(within) > beginOf(share) ? within.from : share.from,
    until: endOf(within) < endOf(share) ? within.until : share.until,
  };
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

function beginOf({ from }: ShareWindow): number {
  return from?.getTime() ?? -Infinity;
}

function endOf({ until }: ShareWindow): number {
  return until?.getTime() ?? Infinity;
}
