/** Cached answers, over HTTP, in one process. See docs/cache.md. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CacheKeys, isHit, read, warm } from '../support/cache.fixture.js';
import { SharingFixture } from '../support/sharing.fixture.js';

let home: SharingFixture;
let keys: CacheKeys;

beforeAll(async () => {
  home = await SharingFixture.start();
  keys = CacheKeys.open(home.application.redisUrl);
}, 60_000);

afterAll(async () => {
  keys.close();
  await home.stop();
});

describe('A cached answer', () => {
  it('is what the database said, byte for byte, with its age', async () => {
    const { ada } = await home.createDoor();
    const reader = { base: home.application.url, accessToken: ada.accessToken };
    const first = await read(reader, '/devices');
    const second = await warm(reader, '/devices', keys);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('etag')).toBe(first.headers.get('etag'));
    expect(isHit(first)).toBe(false);
  });
});
