import { provideTool } from './debian.js';

const advice = 'The tests need the Mosquitto server and its clients: install mosquitto and mosquitto-clients.';

export interface MosquittoPrograms {
  readonly server: string;
  readonly passwd: string;
  readonly publish: string;
  readonly subscribe: string;
}

/** Paths of the Mosquitto programs that the tests run, fetched when the system has none. */
export async function provideMosquitto(): Promise<MosquittoPrograms> {
  const [server, clients] = await Promise.all([
    provideTool({
      name: 'Mosquitto',
      package: 'mosquitto',
      programs: { server: ['mosquitto'], passwd: ['mosquitto_passwd'] },
      advice,
    }),
    provideTool({
      name: 'The Mosquitto clients',
      package: 'mosquitto-clients',
      programs: { publish: ['mosquitto_pub'], subscribe: ['mosquitto_sub'] },
      advice,
    }),
  ]);
  return {
    server: server.server ?? '',
    passwd: server.passwd ?? '',
    publish: clients.publish ?? '',
    subscribe: clients.subscribe ?? '',
  };
}
