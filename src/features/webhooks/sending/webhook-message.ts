import type { StoredEvent } from '../../../contracts/events.js';
import { toEventDto } from '../../history/history.dto.js';
import { TEST_TYPE } from '../webhooks.types.js';

/**
 * What is posted for an event (Standard Webhooks, "Payload structure").
 * @param sequence how many events of the device the endpoint was given with this one
 */
export function messageOf(event: StoredEvent, sequence: number): string {
  return JSON.stringify({ type: event.type, timestamp: event.occurredAt, sequence, data: toEventDto(event) });
}

/** What is posted to try an endpoint out. */
export function testMessage(webhookId: string, at: Date): string {
  return JSON.stringify({ type: TEST_TYPE, timestamp: at.toISOString(), sequence: null, data: { webhookId } });
}
