import type { PayloadOf } from '../../contracts/events.js';
import type { EventDeclaration } from '../../platform/events/event-type-registry.js';

/** An export was made, or could not be. For the person whose it is. */
export class ExportFinishedPayload implements PayloadOf<'export_finished'> {
  exportId!: string;
  /** What it has, such as `my_data`. */
  type!: string;
  state!: 'COMPLETED' | 'FAILED';
}

export const EXPORTS_EVENTS = { export_finished: ExportFinishedPayload } satisfies EventDeclaration;
