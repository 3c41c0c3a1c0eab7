import { closestName } from '../../../shared/closest-name.js';
import { cutText } from '../../../shared/cut-text.js';
import type { FieldError } from '../../../shared/domain-error.js';
import { DATA_SETS, TAKES } from '../data-sets/data-sets.js';
import type { ExportRequest } from '../exports.types.js';

const SHOWN_NAME = 64;

/** Members that not every type takes, with what `TAKES` calls them. */
const MEMBERS = { deviceIds: 'deviceIds', eventTypes: 'eventTypes', from: 'range', until: 'range' } as const;

/** What does not fit together in a request whose members are each right. */
export function exportFaultsOf(request: ExportRequest): FieldError[] {
  const { from, until } = request;
  const isEmpty = from !== undefined && until !== undefined && from >= until;
  return [
    ...foreignMembers(request),
    ...(isEmpty ? [{ detail: '`until` must be later than `from`', pointer: '/until' }] : []),
    ...unknownColumns(request),
  ];
}

function foreignMembers(request: ExportRequest): FieldError[] {
  return Object.entries(MEMBERS).flatMap(([member, taken]) => {
    if (request[member as keyof typeof MEMBERS] === undefined || TAKES[request.type].includes(taken)) {
      return [];
    }
    const owners = Object.entries(TAKES).flatMap(([owner, takes]) => (takes.includes(taken) ? [owner] : []));
    return [
      {
        detail: `\`${member}\` is no member of ${request.type}: it belongs to ${owners.join(', ')}`,
        pointer: `/${member}`,
      },
    ];
  });
}

function unknownColumns({ type, columns = [] }: ExportRequest): FieldError[] {
  const known = Object.keys(DATA_SETS[type].columns);
  return columns.flatMap((column, index) => {
    if (known.includes(column)) {
      return [];
    }
    const meant = closestName(column, known);
    const hint = meant === undefined ? `${type} has ${known.join(', ')}` : `did you mean \`${meant}\`?`;
    return [
      {
        detail: `\`${cutText(column, SHOWN_NAME)}\` is no column of ${type}: ${hint}`,
        pointer: `/columns/${String(index)}`,
      },
    ];
  });
}
