import type { EventType } from '../../../contracts/events.js';

/** What tells events of one type apart: the states of a door as `lock/door`, the name of a command. Empty for other types. */
export function kindOfEvent(type: EventType, payload: unknown): string {
  const members = (payload ?? {}) as Readonly<Record<string, unknown>>;
  const text = (name: string): string => (typeof members[name] === 'string' ? members[name] : '');
  if (type === 'door_status_changed') {
    return `${text('lockState')}/${text('doorState')}`;
  }
  return type.startsWith('command_') ? text('name') : '';
}
