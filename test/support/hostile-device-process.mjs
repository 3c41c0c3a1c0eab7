// A device gone mad, as a process of its own: it sends as much as it is told, whether anything is taken or not, and comes
// back at once when it is cut. At a port of its own that takes nothing it costs the machine the same.
import { randomUUID } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { generate } from 'mqtt-packet';

const TICK_MS = 5;
const RECONNECT_MS = 50;
let sent = 0;
let target;
let timer;
let socket;

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
};

function packets(count) {
  return Buffer.concat(
    Array.from({ length: count }, () => {
      const [channel, message] = KINDS[target.kind]();
      const payload = typeof message === 'string' ? message : JSON.stringify(message);
      const topic = `v1/devices/${target.id}/${channel}`;
      return generate({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false });
    }),
  );
}

function open() {
  const { id, token, port } = target;
  socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  const mine = socket;
  socket.on('close', () => {
    if (mine === socket) {
      socket = undefined;
      setTimeout(() => target && !socket && open(), RECONNECT_MS);
    }
  });
  const login = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 30 };
  socket.write(generate({ ...login, clientId: id, username: id, password: Buffer.from(token) }));
}

function tick() {
  // Made in any case: a run that nothing is taken from costs as much as one in which everything is.
  const bytes = packets(target.packetsPerTick);
  if (socket && !socket.writableNeedDrain) {
    socket.write(bytes);
    sent += target.packetsPerTick;
  }
}

process.on('disconnect', () => process.exit());
process.on('message', (next) => {
  clearInterval(timer);
  const ended = socket;
  socket = undefined;
  target = undefined;
  ended?.destroy();
  process.send({ sent });
  if (next.kind) {
    target = next;
    sent = 0;
    open();
    timer = setInterval(tick, TICK_MS);
  }
});
