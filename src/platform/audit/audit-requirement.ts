import { requestContext } from '../context/request-context.js';
import { UnauditedChangeError } from './audit.errors.js';

/**
 * A route that announced an audited action changes nothing without its entry.
 * @throws UnauditedChangeError when the request announced an action and nothing of it was recorded
 */
export function requireAuditEntry(): void {
  const intent = requestContext()?.audit;
  if (intent && !intent.recorded) {
    throw new UnauditedChangeError(intent.action);
  }
}
