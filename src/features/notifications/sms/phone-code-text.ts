import { CODE_LIFE_MINUTES } from './phone-codes.repository.js';

const MINUTES = String(CODE_LIFE_MINUTES);

/** It says what it is for, because a code that another person has caused must not be read out to them. */
const TEXTS: Readonly<Record<string, (code: string) => string>> = {
  en: (code) => `${code} is your code for text messages of your doors, good for ${MINUTES} minutes. Tell it to no one.`,
  de: (code) => `${code} ist dein Code für SMS von deinen Türen, ${MINUTES} Minuten lang. Gib ihn nicht weiter.`,
};

/** @param language BCP 47; one that there is no text of is told in English. */
export function phoneCodeText(language: string, code: string): string {
  const text = TEXTS[language.split('-')[0]?.toLowerCase() ?? ''] ?? TEXTS.en;
  return text?.(code) ?? code;
}
