import type { ProviderAnswer } from '../providers/provider-request.js';

/** FCM's own error code, else the status of Google's APIs, else that of HTTP; and ours for a token that is none. */
export type FcmFault = string;

interface GoogleError {
  readonly message?: unknown;
  readonly status?: unknown;
  readonly details?: unknown;
}

interface ErrorDetail {
  readonly '@type'?: unknown;
  readonly errorCode?: unknown;
  readonly fieldViolations?: readonly { readonly field?: unknown }[];
}

const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';

export function fcmFaultOf({ status, body }: ProviderAnswer): FcmFault {
  const error = (body.error ?? {}) as GoogleError;
  const details = (Array.isArray(error.details) ? error.details : []) as readonly ErrorDetail[];
  const code = details.find((detail) => detail['@type'] === FCM_ERROR)?.errorCode ?? error.status;
  if (typeof code !== 'string') {
    return String(status);
  }
  return code === 'INVALID_ARGUMENT' && isAboutToken(error, details) ? 'invalid_token' : code;
}

/** INVALID_ARGUMENT is also said of payloads: of a token it says so in a field, or in the message alone. */
function isAboutToken({ message }: GoogleError, details: readonly ErrorDetail[]): boolean {
  const fields = details.flatMap(({ fieldViolations }) => fieldViolations ?? []);
  return (
    fields.some(({ field }) => field === 'message.token') ||
    (typeof message === 'string' && /registration token is not a valid/i.test(message))
  );
}
