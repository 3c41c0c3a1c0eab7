import { bareName, closestName } from '../../../shared/closest-name.js';
import { ruleNames } from './member-rules.js';

const OFTEN_CALLED = Symbol('often called');
/** Longer names are no slip of the pen. */
const LONGEST_NAME = 40;

/** What clients call this member by mistake, where the letters are too different to guess it: `email` for `identifier`. */
export function OftenCalled(...names: readonly string[]): PropertyDecorator {
  return Reflect.metadata(OFTEN_CALLED, names);
}

/**
 * The member that a client may have meant by a name that its class does not know; undefined where none is likely.
 * @param given the names that the client sent: what is there was not forgotten
 */
export function meantMember(type: object, name: string, given: readonly string[]): string | undefined {
  if (name.length > LONGEST_NAME) {
    return undefined;
  }
  const candidates = ruleNames(type).filter((candidate) => !given.includes(candidate));
  const bare = bareName(name);
  const known = candidates.find((candidate) => namesOf(type, candidate).map(bareName).includes(bare));
  return known ?? closestName(name, candidates);
}

function namesOf({ prototype }: { prototype?: object }, member: string): readonly string[] {
  const others = Reflect.getMetadata(OFTEN_CALLED, prototype ?? {}, member) as readonly string[] | undefined;
  return [member, ...(others ?? [])];
}
