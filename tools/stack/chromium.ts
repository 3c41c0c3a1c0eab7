import { provideTool } from './debian.js';

/** Path of a Chromium for the tests of pages, fetched when the system has none. */
export async function provideChromium(): Promise<string> {
  const { chromium } = await provideTool({
    name: 'Chromium',
    package: 'chromium',
    programs: { chromium: ['chromium', 'chromium-browser', 'google-chrome'] },
    advice: 'The tests of pages need it: install chromium.',
  });
  return chromium ?? '';
}
