import { expect, it, jest } from '@jest/globals';
import { createApp, listen } from '../../src/apps/bootstrap.js';
import { loadConfig } from '../../src/config/load-config.js';
import { BrokerAuthorizer } from '../../src/platform/mqtt/broker-authorizer.js';
import { createInstallation } from '../support/installation.js';

/** Seen to fail: with any answer to SUBSCRIBE, a refusal too, as enough. */
it('does not start, and admits no device, when its embedded broker refuses it a subscription', async () => {
  const installation = await createInstallation({ ROLES: 'hardware' });
  const app = await createApp(loadConfig(installation.env));
  const authorizer = app.get(BrokerAuthorizer, { strict: false });
  const [hooks, admit] = [authorizer.hooks(), jest.spyOn(authorizer, 'open')];
  jest.spyOn(authorizer, 'hooks').mockReturnValue({
    ...hooks,
    authorizeSubscribe: (_client, subscription, done) => {
      done(null, subscription.topic.endsWith('/acks') ? null : subscription);
    },
  });
  try {
    await expect(listen(app)).rejects.toThrow('did not confirm v1/devices/+/acks');
    expect(admit).not.toHaveBeenCalled();
  } finally {
    await app.close();
    await installation.remove();
  }
});
