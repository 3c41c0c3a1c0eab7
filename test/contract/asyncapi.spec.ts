/** What people and generators read of sockets, as it was built. Clients and messages are held against it in clients.spec.ts. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import asyncApi from '@asyncapi/specs';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import type { SocketDocument } from '../../src/apps/async-api.js';
import { DEVICE_NOTICES, DEVICE_ORDERS, DEVICE_REPORTS } from '../../src/contracts/device-sockets.js';
import { CONTROL_MESSAGES, DASHBOARD_REQUESTS, FEED_MESSAGES, REQUEST_ANSWERS } from '../../src/contracts/realtime.js';
import { builtDocuments } from '../support/built-document.js';

let sockets: SocketDocument;

beforeAll(async () => {
  ({ sockets } = await builtDocuments());
}, 120_000);

describe('The AsyncAPI document', () => {
  it('is one, in the eyes of the schema that AsyncAPI publishes', () => {
    const ajv = new Ajv({ strict: false, allErrors: true, logger: false });
    addFormats.default(ajv);
    const validate = ajv.compile(asyncApi.schemasWithoutId['3.0.0'] as object);
    expect([validate(sockets), validate.errors]).toEqual([true, null]);
    expect([
      validate({ ...sockets, operations: { door: { action: 'open' } } }),
      ajv.errorsText(validate.errors),
    ]).toEqual([false, expect.stringContaining('/operations/door')]);
  });

  it('refers to nothing that is not there, and has each message in an operation', () => {
    const references = [...JSON.stringify(sockets).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
    const found = (path: string): unknown =>
      path
        .split('/')
        .reduce<unknown>((parent, name) => (parent as Record<string, unknown> | undefined)?.[name], sockets);
    expect(references.filter((path) => found(path) === undefined)).toEqual([]);
    const used = new Set(references);
    const unused = Object.entries(sockets.channels).flatMap(([channel, { messages }]) =>
      Object.keys(messages)
        .map((name) => `channels/${channel}/messages/${name}`)
        .filter((path) => !used.has(path)),
    );
    expect(unused).toEqual([]);
  });

  it('has each message of the contract, with examples that its schemas take', () => {
    const contract = [
      ...Object.keys(FEED_MESSAGES),
      ...Object.keys(CONTROL_MESSAGES),
      ...Object.keys(DASHBOARD_REQUESTS),
      ...Object.keys(REQUEST_ANSWERS).map((request) => `${request}_acknowledgement`),
    ];
    const besides = ['connect', 'connect_error', 'acknowledgement'];
    expect(Object.keys(sockets.channels.dashboard.messages).sort()).toEqual([...contract, ...besides].sort());
    const ofDevices = [DEVICE_REPORTS, DEVICE_ORDERS, DEVICE_NOTICES].flatMap((each) => Object.keys(each));
    expect(Object.keys(sockets.channels.device.messages).sort()).toEqual([...ofDevices, ...besides].sort());
    const ajv = new Ajv({ strict: false });
    addFormats.default(ajv);
    ajv.addSchema({ $id: 'document', ...sockets });
    const wrong = Object.entries(sockets.components.schemas).flatMap(([name, { properties = {} }]) =>
      Object.entries(properties as Record<string, { readonly examples?: unknown[] }>)
        .filter(([member, schema]) => {
          const $ref = `document#/components/schemas/${name}/properties/${member}`;
          return schema.examples?.some((example) => !ajv.validate({ $ref }, example));
        })
        .map(([member]) => `${name}.${member}`),
    );
    expect(wrong).toEqual([]);
  });
});
