import { closestMatch } from 'leven';

const MAX_LENGTH = 64;
/** Letters of a name for each one that may be wrong. */
const LETTERS_PER_SLIP = 4;

/** The one of `known` that a person who wrote `name` probably meant. */
export function closestName(name: string, known: readonly string[]): string | undefined {
  const bare = name.length > MAX_LENGTH ? '' : bareName(name);
  const maxDistance = Math.floor(bare.length / LETTERS_PER_SLIP);
  const match = bare === '' ? undefined : closestMatch(bare, known.map(bareName), { maxDistance });
  return known.find((each) => bareName(each) === match);
}

/** `subscribeDevice`, `subscribe-device` and `subscribe_device` are one name. */
export function bareName(name: string): string {
  return name.replaceAll(/[\s_-]/g, '').toLowerCase();
}
