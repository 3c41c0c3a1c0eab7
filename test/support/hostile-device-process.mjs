// A device gone mad, as a process of its own: it sends as much as it is told, whether anything is taken or not, and comes
// back at once when it is cut. At a port of its own that takes nothing it costs the machine the same.
import { randomUUID } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { generate } from 'mqtt-packet';

const TICK_MS = 5;
const RECONNECT_MS = 50;
/** How long a login of a flood of them waits for its refusal. */
const LOGIN_MS = 100;
const WRONG = Buffer.from('no token at all');
let sent = 0;
let target;
let timer;
let turn = 0;
const sockets = [];

const nowhere = createServer((client) => client.pause().on('error', () => undefined)).listen(0, '127.0.0.1', () => {
  process.send({ nullPort: nowhere.address().port });
});

const boot = randomUUID();
let seq = 0;
const event = (changes) => ({ seq: ++seq, boot, type: 'custom', data: { n: seq }, ...changes });
const KINDS = {
  acks: () => ['acks', { commandId: randomUUID(), status: 'executed' }],
  births: () => ['status', { online: true, boot, uptimeMs: ++seq }],
  boots: () => ['events', event({ seq: 1, boot: randomUUID() })],
  events: () => ['events', event({})],
  heartbeats: () => ['heartbeat', { boot, uptimeMs: ++seq }],
  garbage: () => ['heartbeat', 'no JSON at all'],
  payloads: () => ['events', Array.from({ length: 90 }, () => event({ data: { text: 'x'.repeat(600) } }))],
  'events at QoS 1': () => ['events', event({})],
  'events over four connections': () => ['events', event({})],
};

function publication() {
  const [channel, message] = KINDS[target.kind]();
  const payload = typeof message === 'string' ? message : JSON.stringify(message);
  const topic = `v1/devices/${target.id}/${channel}`;
  const qos = target.kind.endsWith('QoS 1') ? 1 : 0;
  return generate({ cmd: 'publish', topic, payload, qos, messageId: 1 + (++turn % 65_535), retain: false, dup: false });
}

/** Of its own topics and of topics of others in turn. */
function subscription() {
  const topic = `v1/devices/${++turn % 2 === 0 ? target.id : randomUUID()}/commands`;
  return generate({ cmd: 'subscribe', messageId: 1 + (turn % 65_535), subscriptions: [{ topic, qos: 1 }] });
}

function packets(count) {
  const make = target.kind === 'subscriptions' ? subscription : publication;
  return Buffer.concat(Array.from({ length: count }, make));
}

function logIn(password, clientId) {
  const socket = connect(target.port, '127.0.0.1').on('error', () => undefined);
  socket.resume();
  const login = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 30 };
  socket.write(generate({ ...login, clientId, username: target.id, password }));
  return socket;
}

function open(index) {
  const mine = target;
  const socket = logIn(Buffer.from(target.token), `${target.id}${index || ''}`);
  sockets[index] = socket;
  socket.on('close', () => {
    setTimeout(() => mine === target && sockets[index] === socket && open(index), RECONNECT_MS);
  });
}

function tick() {
  if (target.kind === 'logins') {
    const socket = logIn(WRONG, target.id);
    setTimeout(() => socket.destroy(), LOGIN_MS);
    sent += 1;
    return;
  }
  // Made in any case: a run that nothing is taken from costs as much as one in which everything is.
  const bytes = packets(target.packetsPerTick);
  const socket = sockets[++turn % sockets.length];
  if (socket && !socket.destroyed && !socket.writableNeedDrain) {
    socket.write(bytes);
    sent += target.packetsPerTick;
  }
}

process.on('disconnect', () => process.exit());
process.on('message', (next) => {
  clearInterval(timer);
  target = undefined;
  sockets.splice(0).forEach((socket) => socket.destroy());
  process.send({ sent });
  if (next.kind) {
    target = next;
    sent = 0;
    const connections = target.kind === 'logins' ? 0 : target.kind.endsWith('four connections') ? 4 : 1;
    Array.from({ length: connections }, (_, index) => open(index));
    timer = setInterval(tick, TICK_MS);
  }
});
