import { describe, expect, it } from '@jest/globals';
import { type DashboardSocket, joinRooms, leaveRooms, type Room } from './sockets.js';

function newSocket(): DashboardSocket {
  const rooms = new Set<string>();
  return {
    data: {},
    rooms,
    join: (names: Room[]) => {
      names.forEach((name) => rooms.add(name));
    },
    leave: (name: Room) => {
      rooms.delete(name);
    },
  } as unknown as DashboardSocket;
}

describe('A socket that must leave a room', () => {
  it('leaves it although it joins others again and again', () => {
    const socket = newSocket();
    joinRooms(socket, ['device:revoked', 'organization:left']);
    const decidedAt = performance.now() + 1;
    while (performance.now() <= decidedAt) {
      joinRooms(socket, ['device:other']);
    }
    joinRooms(socket, ['device:other']);
    leaveRooms(socket, ['device:revoked', 'organization:left'], decidedAt);
    expect([...socket.rooms]).toEqual(['device:other']);
  });

  it('stays in one that it has joined since that was decided, until the next decision', () => {
    const socket = newSocket();
    const decidedAt = performance.now();
    joinRooms(socket, ['device:back']);
    leaveRooms(socket, ['device:back'], decidedAt);
    expect([...socket.rooms]).toEqual(['device:back']);
    leaveRooms(socket, ['device:back']);
    expect([...socket.rooms]).toEqual([]);
  });
});
