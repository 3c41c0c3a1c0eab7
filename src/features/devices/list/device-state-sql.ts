import { STATE_RULES, type StateFact } from '../domain/device-state.js';

type Kind = 'lock' | 'door';

/** The facts of `decideStates` about a row `d` of devices, whose open links are `links`. */
function factsOf(kind: Kind, links: string): Readonly<Record<StateFact, string>> {
  const [state, at] = [`d.${kind}_state`, `d.${kind}_state_at`];
  return {
    uncalibrated: kind === 'lock' ? 'd.lock_calibrated IS FALSE' : 'false',
    unreported: `${state} IS NULL`,
    silent: `cardinality(${links}) = 0`,
    restarted: `d.boot_heard_at IS NOT NULL AND (${at} IS NULL OR ${at} < d.boot_heard_at)`,
    lockedButJammed:
      kind === 'lock'
        ? `${state} = 'locked' AND (coalesce(d.door_state = 'jammed', false) OR d.lock_jammed_at IS NOT NULL)`
        : 'false',
  };
}

/** `decideStates` as SQL, from the same table of rules: the value to trust now, and what it rests on. */
export function stateSql(kind: Kind, links: string): { readonly value: string; readonly evidence: string } {
  const facts = factsOf(kind, links);
  const caseOf = (result: (rule: (typeof STATE_RULES)[number]) => string): string =>
    `CASE ${STATE_RULES.map((rule) => (rule.fact === null ? `ELSE ${result(rule)}` : `WHEN ${facts[rule.fact]} THEN ${result(rule)}`)).join(' ')} END`;
  return {
    value: caseOf(({ shown }) => (shown === 'reported' ? `d.${kind}_state` : shown === null ? 'NULL' : `'${shown}'`)),
    evidence: caseOf(({ evidence }) => `'${evidence}'`),
  };
}
