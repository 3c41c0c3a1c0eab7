import { MAX_JSON_DEPTH, type PayloadFault, type PayloadRefusedError } from '../../../shared/json-payload.js';
import { shownName } from '../validation/field-faults.js';
import { InvalidRequestError } from '../validation/validation.js';
import { jsonFault } from './json-fault.js';

const DETAILS: Record<PayloadFault, string> = {
  not_utf8: 'the body must be UTF-8',
  malformed_json: 'the body must be JSON',
  too_deep: `the body must not be nested deeper than ${String(MAX_JSON_DEPTH)} levels`,
  repeated_name: 'stands more than once in its object',
  unstorable_text: 'text must not contain U+0000 or half of a surrogate pair',
  forbidden_name: 'no member may be called __proto__, or constructor with a prototype',
};

/**
 * What is wrong with a body that should be JSON.
 * @param line the one of JSON lines in which it is, with `text`
 */
export function refusalOfJson(
  { fault, pointer }: PayloadRefusedError,
  text: string,
  line?: number,
): InvalidRequestError {
  const where = fault === 'malformed_json' ? jsonFault('\n'.repeat((line ?? 1) - 1) + text) : null;
  const place = line === undefined ? '' : `, in line ${String(line)}`;
  const name = fault === 'repeated_name' ? `${shownName(nameIn(pointer))} ` : '';
  return new InvalidRequestError([
    {
      detail: name + DETAILS[fault] + (where === null ? place : `: ${where}`),
      pointer: line === undefined ? pointer : `/${String(line)}${pointer}`,
    },
  ]);
}

/** The last name in a JSON Pointer. */
function nameIn(pointer: string): string {
  return (pointer.split('/').at(-1) ?? '').replaceAll('~1', '/').replaceAll('~0', '~');
}
