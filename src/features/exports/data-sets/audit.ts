import { type DataSet, timeConditions } from './data-set.types.js';

/** Who did what, oldest first. */
export const AUDIT: DataSet = {
  columns: {
    id: ['value', 'a.id::text'],
    at: ['time', 'a.at'],
    action: ['value', 'a.action'],
    outcome: ['value', 'a.outcome'],
    code: ['value', 'a.code'],
    actor: ['text', 'a.actor'],
    sessionId: ['value', 'a.session_id'],
    entityType: ['value', 'a.entity_type'],
    entityId: ['text', 'a.entity_id'],
    before: ['json', 'a.before'],
    after: ['json', 'a.after'],
    address: ['text', 'a.address'],
    userAgent: ['text', 'a.user_agent'],
    requestId: ['text', 'a.request_id'],
  },
  from: (scope, literal) =>
    `FROM audit_entries a WHERE ${['true', ...timeConditions('a.at', scope, literal)].join(' AND ')} ORDER BY a.id`,
};
