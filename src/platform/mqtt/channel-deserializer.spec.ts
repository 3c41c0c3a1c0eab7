import { describe, expect, it } from '@jest/globals';
import { deviceTopic } from '../../contracts/mqtt.js';
import { ChannelDeserializer } from './channel-deserializer.js';

const deserializer = new ChannelDeserializer();
const id = '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55';

describe('ChannelDeserializer', () => {
  it("hands over what looks like Nest's envelope as it is", () => {
    const channel = deviceTopic(id, 'acks');
    const payload = { id: '1', pattern: 'p', data: { inside: true }, response: 1, isDisposed: true };
    expect(deserializer.deserialize(payload, { channel })).toEqual({ pattern: channel, data: payload });
  });

  it('makes one event and many the same shape', () => {
    const channel = deviceTopic(id, 'events');
    expect(deserializer.deserialize([1, 2], { channel }).data).toEqual({ events: [1, 2] });
    expect(deserializer.deserialize({ events: [1] }, { channel }).data).toEqual({ events: [{ events: [1] }] });
  });
});
