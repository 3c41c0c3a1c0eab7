/**
 * A member that is null is refused, wherever it does not mean something that its documentation says. class-validator's
 * `IsOptional` lets null through, and what comes after expects it no more than any other type.
 * Seen to fail: with `IsOptional` on `durationMs`, whose null was signed and sent to the lock.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { getMetadataStorage, validateSync } from 'class-validator';
import { ROOT } from '../../tools/stack/paths.js';

/** What a device says is read with tolerance: docs/protocol.md. */
const DEVICE_LINE = [
  'AckDto',
  'DeviceEventDto',
  'DeviceEventsDto',
  'HeartbeatMessageDto',
  'HttpHeartbeatDto',
  'StatusMessageDto',
];

/** Answers, which are made of others with what the framework does to requests. */
const ANSWERS = ['ListedUserDto'];

/** Members that may be null, and what it means. */
const NULLABLE = {
  'ChangedNotificationChoiceDto.enabled': 'as for all kinds',
  'ClaimDeviceDto.room': 'in no room',
  'CreateWebhookDto.description': 'none',
  'DashboardHandshakeDto.lastCursor': 'no earlier events',
  'DeviceSubscriptionDto.lastCursor': 'no earlier events',
  'NewAccountDto.username': 'none',
  'PreviewScheduleDto.from': 'from now on',
  'PreviewScheduleDto.schedule': 'at all hours',
  'PreviewScheduleDto.until': 'without an end',
  'PutChatHookDto.chatId': 'the address says which chat',
  'RegisterDeviceDto.location': 'not said',
  'RegisterDeviceDto.metadata': 'nothing',
  'RegisterDeviceDto.position': 'not said',
  'RegisterDeviceDto.room': 'in no room',
  'RegisterPushSubscriptionDto.expirationTime': 'it does not expire by itself',
  'ShareDeviceDto.from': 'from now on',
  'ShareDeviceDto.schedule': 'at all hours',
  'ShareDeviceDto.until': 'without an end',
  'ShareTimesDto.from': 'from now on',
  'ShareTimesDto.schedule': 'at all hours',
  'ShareTimesDto.until': 'without an end',
  'UpdateDeviceDto.location': 'takes it away',
  'UpdateDeviceDto.metadata': 'empties it',
  'UpdateDeviceDto.organizationId': 'takes it out of its organization',
  'UpdateDeviceDto.position': 'takes it away',
  'UpdateDeviceDto.room': 'takes it out of its room',
  'UpdateMeDto.username': 'takes it away',
  'UpdatePreferencesDto.quietHours': 'none',
  'UpdateShareDto.from': 'from now on',
  'UpdateShareDto.schedule': 'at all hours',
  'UpdateShareDto.until': 'without an end',
  'UpdateUserDto.username': 'takes it away',
  'UpdateWebhookDto.description': 'takes it away',
};

type Dto = new () => object;

async function dtoClasses(): Promise<Dto[]> {
  const files = globSync('src/features/**/*.dto.ts', { cwd: ROOT });
  const modules = await Promise.all(files.map((file) => import(join(ROOT, file)) as Promise<Record<string, unknown>>));
  return modules.flatMap((module) => Object.values(module).filter((each): each is Dto => typeof each === 'function'));
}

function members(dto: Dto): string[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
  return [...new Set(rules.map(({ propertyName }) => propertyName))];
}

describe('A member of a request', () => {
  it('is never null, but where null means something', async () => {
    const classes = (await dtoClasses()).filter(({ name }) => ![...DEVICE_LINE, ...ANSWERS].includes(name));
    const all = classes.flatMap((dto) => members(dto).map((member) => ({ dto, member })));
    expect(all.length).toBeGreaterThan(60);
    const nullable = all.filter(({ dto, member }) => {
      const faults = validateSync(Object.assign(new dto(), { [member]: null }));
      return !faults.some(({ property }) => property === member);
    });
    expect(nullable.map(({ dto, member }) => `${dto.name}.${member}`).sort()).toEqual(Object.keys(NULLABLE));
  });
});
