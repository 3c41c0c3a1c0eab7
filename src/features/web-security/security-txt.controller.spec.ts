import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../config/load-config.js';
import { SystemClock } from '../../shared/system-clock.js';
import { NoSecurityContactError } from './web-security.errors.js';
import { SecurityTxtController } from './security-txt.controller.js';

describe('security.txt', () => {
  it('is not there without somewhere to report', () => {
    const config = loadConfig({
      DATABASE_URL: 'postgres://127.0.0.1:1/nowhere',
      REDIS_URL: 'redis://127.0.0.1:1',
      MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
    });
    expect(() => new SecurityTxtController(config, new SystemClock()).read()).toThrow(NoSecurityContactError);
  });
});
