// The application while it starts: it serves HTTP, and what serves the devices never gets there. Runs what was built.
import { start } from '../../dist/src/apps/bootstrap.js';
import { loadConfig } from '../../dist/src/config/load-config.js';
import { MqttServer } from '../../dist/src/platform/mqtt/mqtt-server.js';

MqttServer.prototype.listen = () => undefined;

await start(loadConfig(process.env));
