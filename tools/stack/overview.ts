import { baseUrl, brokerUrl, type Run } from './application.js';
import { type Demo } from './demo.js';
import { LOGS } from './log-file.js';
import { type StartSettings } from './settings.js';

/**
 * What a newcomer wants to know when everything is up.
 * @param access the demo, or without one what accounts there are
 */
export function describeStack(settings: StartSettings, access: Demo | string, log: Run['log']): string {
  const demo = typeof access === 'string' ? undefined : access;
  const base = baseUrl(settings);
  const rows = [
    ['API', `${base}/api/v1`],
    ['Swagger', `${base}/api/docs`],
    ['Sockets', `${base}/api/docs/asyncapi.json`],
    ['Problems', `${base}/problems`],
    ['Metrics', `${base}/metrics`],
    ['MQTT', brokerUrl(settings)],
    ...(log === 'file' ? [['Logs', LOGS]] : []),
    ...(typeof access === 'string' ? [['Accounts', access]] : describeDemo(access)),
  ];
  const table = rows.map(([name = '', value = '']) => `  ${name.padEnd(12)} ${value}`);
  const hint = demo ? ['', 'Open the front door:', ...firstUnlock(base, demo).map((line) => `  ${line}`)] : [];
  return [
    '',
    'Mortise is ready.',
    '',
    ...table,
    ...hint,
    '',
    'Ctrl-C stops everything; the data stays in .mortise.',
    '',
  ].join('\n');
}

function describeDemo(demo: Demo): string[][] {
  return [['Account', `${demo.email} / ${demo.password}`], ...demo.locks.map(({ name, deviceId }) => [name, deviceId])];
}

function firstUnlock(base: string, demo: Demo): string[] {
  const credentials = JSON.stringify({ identifier: demo.email, password: demo.password });
  const order = JSON.stringify({ name: 'unlock_door', payload: { durationMs: 5_000 } });
  const json = `-H 'content-type: application/json'`;
  return [
    `token=$(curl -s ${base}/api/v1/auth/login ${json} \\`,
    `  -d '${credentials}' | sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/')`,
    `curl -s ${base}/api/v1/devices/${demo.locks[0]?.deviceId ?? ''}/commands ${json} -H "authorization: Bearer $token" \\`,
    `  -H "idempotency-key: $(date +%s%N)" -H 'prefer: wait=10' -d '${order}'`,
  ];
}
