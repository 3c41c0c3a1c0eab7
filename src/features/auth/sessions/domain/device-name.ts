import Bowser from 'bowser';

const UNKNOWN = 'Unknown device';
const APP = /\bMortise(?:App)?\//i;
const PRODUCT = /^[A-Za-z][\w.-]{0,31}(?=\/|$)/;
/** For a user agent it does not know, the library returns text of the user agent, which is the sender's. */
const BROWSERS = new Set(Object.values(Bowser.BROWSER_MAP));

/** What a person calls the device behind a user agent: enough to tell their own from a stranger's. */
export function deviceName(userAgent: string | null): string {
  if (userAgent === null || userAgent === '') {
    return UNKNOWN;
  }
  const { client, system } = partsOf(userAgent);
  if (client && system) {
    return `${client} on ${system}`;
  }
  return client ?? system ?? PRODUCT.exec(userAgent)?.[0] ?? UNKNOWN;
}

function partsOf(userAgent: string): { client: string | undefined; system: string | undefined } {
  const { browser, os, platform } = Bowser.parse(userAgent);
  return {
    client: APP.test(userAgent) ? 'Mortise app' : browserName(browser.name),
    system: os.name === Bowser.OS_MAP.iOS ? (platform.model ?? os.name) : os.name,
  };
}

/** Without the words that say nothing beside the system. */
function browserName(name: string | undefined): string | undefined {
  return name !== undefined && BROWSERS.has(name) ? name.replace(/^Microsoft | for Android$/g, '') : undefined;
}
