import type { Catalog } from './catalog.types.js';
import { DE } from './de.js';
import { EN } from './en.js';

/** The language in which a person is told. */
export interface TextLanguage {
  readonly catalog: Catalog;
  /** Numbers and dates are written as in this place. */
  readonly locale: string;
}

const FALLBACK = 'en';

/** By language tag. A tag may be longer, such as `pt-BR`. */
export const CATALOGS: ReadonlyMap<string, Catalog> = new Map<string, Catalog>([
  [FALLBACK, EN],
  ['de', DE],
]);

/** The catalog for a language tag: of the longest beginning that has one (RFC 4647, 3.4), and English for all others. */
export function languageOf(tag: string): TextLanguage {
  const locale = localeOf(tag);
  for (let range = locale; range !== ''; range = range.replace(/-?[^-]*$/, '')) {
    const catalog = CATALOGS.get(range);
    if (catalog) {
      return { catalog, locale };
    }
  }
  return { catalog: EN, locale: FALLBACK };
}

/** Language, script and region in their one spelling. What else a tag has would only make more locales to keep formats of. */
function localeOf(tag: string): string {
  try {
    const { language, script, region } = new Intl.Locale(tag.trim().replaceAll('_', '-'));
    return [language, script, region].filter((part) => part !== undefined).join('-');
  } catch {
    return FALLBACK;
  }
}
