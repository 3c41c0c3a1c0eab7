import { Injectable } from '@nestjs/common';
import { type MessageHandler, MqttContext, ServerMqtt } from '@nestjs/microservices';
import type { IPublishPacket, MqttClient } from 'mqtt';
import { PinoLogger } from 'nestjs-pino';
import { isObservable, lastValueFrom } from 'rxjs';
import {
  allDevices,
  MAX_MQTT_PAYLOAD_BYTES,
  parseDeviceTopic,
  UPLINK_CHANNELS,
  type UplinkChannel,
} from '../../contracts/mqtt.js';
import { within } from '../../shared/deadline.js';
import { isUuid } from '../../shared/ids.js';
import { PayloadRefusedError, readPayload } from '../../shared/json-payload.js';
import { newContext, runInContext } from '../context/request-context.js';
import { type Counter, Metrics } from '../metrics/metrics.js';
import { BrokerClientFactory } from './broker-client-factory.js';
import { ChannelDeserializer } from './channel-deserializer.js';
import { EmbeddedBroker } from './embedded-broker.js';
import { CANARY_DEVICE_ID, isUplink } from './line/canary-channels.js';
import { CanaryPublisher } from './line/canary-publisher.js';
import { HearingRegistry } from './line/hearing-registry.js';
import { PingClock } from './line/ping-clock.js';
import { type RefusedSubscription, SubscriptionRegistry } from './line/subscription-registry.js';
import { LineLimiter } from './limits/line-limiter.js';
import { reconnectDelayMs } from './reconnect-delay.js';
import { RejectedMessages } from './rejected-messages.js';
import { inBackground } from '../process/faults.js';

/** Divides the messages of all devices among the hardware processes, where the broker knows how. */
const SHARED_GROUP = '$share/mortise/';
const DRAIN_WITHIN_MS = 5_000;
const SUBSCRIBED_WITHIN_MS = 10_000;

/**
 * Carries the messages of devices from the broker to the `@EventPattern` handlers.
 *
 * What it guarantees: it takes every message at once, and never stops reading. The broker gets its acknowledgement when a
 * message is in hand, not when it is stored; a crash between the two loses it here. Nothing depends on that: a device sends
 * its events again until a receipt says that they are committed, heartbeats repeat, and a command without an ack ends
 * TIMED_OUT.
 */
@Injectable()
export class MqttServer extends ServerMqtt {
  readonly #messages: Counter<'channel'>;
  #client: MqttClient | undefined;
  readonly #subscriptions = new SubscriptionRegistry(
    () => [...this.messageHandlers.keys()].map((pattern) => (this.access.external ? SHARED_GROUP : '') + pattern),
    ({ topic, reason }) => {
      this.log.error({ topic, reason }, 'The broker refused a subscription; trying again');
    },
  );
  #pings: PingClock | undefined;

  constructor(
    private readonly access: BrokerClientFactory,
    private readonly broker: EmbeddedBroker,
    private readonly refusals: RejectedMessages,
    private readonly line: LineLimiter,
    private readonly hearing: HearingRegistry,
    private readonly canary: CanaryPublisher,
    private readonly log: PinoLogger,
    metrics: Metrics,
  ) {
    super({ deserializer: new ChannelDeserializer() });
    log.setContext(MqttServer.name);
    this.#messages = metrics.counter('mortise_mqtt_messages_total', 'Messages of devices, by channel', ['channel']);
  }

  /** Whether the broker has agreed to pass on the messages of devices. */
  isConnected(): boolean {
    return this.hasConnection && this.#subscriptions.complete;
  }

  get hasConnection(): boolean {
    return this.#client?.connected === true;
  }

  get refusedSubscriptions(): readonly RefusedSubscription[] {
    return this.#subscriptions.refused;
  }

  /** With an external broker this does not wait for it: it may come up later, or go away and come back. */
  override async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      const { subscribed } = await this.open();
      if (!this.access.external) {
        await within(SUBSCRIBED_WITHIN_MS, subscribed);
        this.assertSubscribed();
        this.broker.admitDevices();
      }
      callback();
    } catch (error) {
      callback(error);
    }
  }

  /** Takes nothing new, finishes what is in hand, and lets the embedded broker go last. */
  // Nest declares it as void and awaits it.
  // eslint-disable-next-line @typescript-eslint/no-misused-promises
  override async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.endAsync(true);
    await within(DRAIN_WITHIN_MS, this.line.drained()).catch(() => {
      this.log.warn('Messages of devices were still in hand at the end');
    });
    await this.broker.close();
  }

  override getHandlerByPattern(topic: string): MessageHandler | null {
    const channel = parseDeviceTopic(topic)?.channel;
    return UPLINK_CHANNELS.some((uplink) => uplink === channel)
      ? (this.messageHandlers.get(allDevices(channel as UplinkChannel)) ?? null)
      : null;
  }

  override async handleMessage(
    topic: string,
    payload: Buffer,
    _client: unknown,
    packet?: Record<string, unknown>,
  ): Promise<void> {
    const address = parseDeviceTopic(topic);
    const handler = this.getHandlerByPattern(topic);
    if (!address || !isUuid(address.deviceId) || !handler) {
      this.refusals.message('unknown_topic', topic);
      return;
    }
    const data = await this.read(topic, payload);
    if (data && this.hasRoom(address.deviceId, topic, data.value)) {
      await runInContext(newContext('mqtt', `device:${address.deviceId}`), () =>
        settle(handler(data.value, new MqttContext([topic, packet ?? {}]))),
      );
    }
  }

  private async open(): Promise<{ subscribed: Promise<void> }> {
    const client = await this.access.connect('line', {
      reconnectPeriod: reconnectDelayMs(0),
      reconnectOnConnackError: true,
      resubscribe: false,
    });
    this.#client = client;
    this.mqttClient = client;
    this.#pings = new PingClock(client, () => performance.now());
    this.hearing.onSilent(() => {
      this.#subscriptions.renew();
    });
    client.handleMessage = (packet, done) => {
      this.take(packet);
      // Never later: the answers to our own pings arrive behind the messages.
      done();
    };
    let attempt = 0;
    client.on('close', () => {
      this.#subscriptions.disconnected();
      client.options.reconnectPeriod = reconnectDelayMs(attempt++);
    });
    client.on('error', (error) => {
      this.log.warn({ err: error, attempt }, 'The broker is unreachable; trying again');
    });
    const subscribed = new Promise<void>((resolve) => {
      client.on('connect', () => {
        attempt = 0;
        this.canary.restart();
        inBackground(() => this.#subscriptions.connected(client).then(resolve));
      });
    });
    return { subscribed };
  }

  /** Devices that are admitted without it would take their messages for received. */
  private assertSubscribed(): void {
    if (!this.isConnected()) {
      const [refused] = this.refusedSubscriptions;
      throw new Error(`The embedded broker did not confirm ${refused?.topic ?? 'every subscription'} of this process.`);
    }
  }

  /** Takes a message in hand, or drops it for the sake of the other devices. */
  private take(packet: IPublishPacket): void {
    const { topic, payload, retain } = packet;
    // What the broker retained is of unknown age: no presence follows from it. An empty payload only clears it.
    if (retain || payload.length === 0) {
      return;
    }
    if (this.isCanary(packet)) {
      return;
    }
    const { deviceId, channel } = parseDeviceTopic(topic) ?? { deviceId: topic, channel: 'unknown' };
    const waitedMs = this.access.external ? (this.#pings?.waitedMs ?? 0) : 0;
    const key = deviceId.toLowerCase();
    this.#messages.inc({ channel });
    const refusal = this.line.refuse(key, payload.length);
    if (refusal !== null) {
      this.refusals.message(refusal, topic);
    } else if (!this.line.offer(key, payload.length, () => this.receive(packet, waitedMs))) {
      this.refusals.message('too_many_waiting', topic);
    }
  }

  /** Notes that this channel is heard, and takes the canary off the line. */
  private isCanary({ topic, payload }: IPublishPacket): boolean {
    const address = parseDeviceTopic(topic);
    if (!address || !isUplink(address.channel)) {
      return false;
    }
    if (address.deviceId === CANARY_DEVICE_ID) {
      this.canary.heard(address.channel, payload);
      return true;
    }
    this.hearing.heard(address.channel);
    return false;
  }

  /** Whether a device may send as much as this message holds. */
  private hasRoom(deviceId: string, topic: string, data: unknown): boolean {
    const channel = parseDeviceTopic(topic)?.channel as UplinkChannel;
    const count = channel === 'events' ? (data as { events: unknown[] }).events.length : 1;
    const refusal = this.line.refuseOnChannel(deviceId.toLowerCase(), channel, count);
    if (refusal) {
      this.refusals.message(refusal, topic);
    }
    return refusal === null;
  }

  private async receive({ topic, payload }: IPublishPacket, waitedMs: number): Promise<void> {
    try {
      await this.handleMessage(topic, Buffer.from(payload), undefined, { waitedMs });
    } catch (error) {
      this.refusals.message('internal_error', topic, { err: error });
    }
  }

  /** @returns nothing for a payload that was refused. */
  private async read(topic: string, payload: Buffer): Promise<{ value: unknown } | undefined> {
    if (payload.length > MAX_MQTT_PAYLOAD_BYTES) {
      this.refusals.message('payload_too_large', topic);
      return undefined;
    }
    try {
      // A bolt that moved has moved, whatever the characters of the text beside it.
      const value = readPayload(payload, 'replaced');
      const { data } = (await this.deserializer.deserialize(value, { channel: topic })) as { data: unknown };
      return { value: data };
    } catch (error) {
      this.refusals.message(error instanceof PayloadRefusedError ? error.fault : 'malformed_json', topic);
      return undefined;
    }
  }
}

/** Nest wraps what a handler returns: promises of observables. */
async function settle(outcome: Promise<unknown>): Promise<void> {
  const result = await outcome;
  if (isObservable(result)) {
    await lastValueFrom(result, { defaultValue: undefined });
  }
}
