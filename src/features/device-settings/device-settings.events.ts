import type { PayloadOf } from '../../contracts/events.js';
import type { EventDeclaration } from '../../platform/events/event-type-registry.js';

/** A device confirmed its settings. */
export class SettingsUpdatedPayload implements PayloadOf<'settings_updated'> {
  /** Of the settings that it took. */
  version?: number;
  /** What it is set to; left out, as it was told. */
  settings?: Record<string, unknown>;
}

export const DEVICE_SETTINGS_EVENTS = {
  settings_updated: SettingsUpdatedPayload,
} satisfies EventDeclaration;
