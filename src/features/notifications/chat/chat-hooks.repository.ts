import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import { CHAT_HOOK_FAULTS, type ChatHook, type ChatHookFault, type NewChatHook } from './chat-hooks.types.js';

const HOOK = {
  hookId: true,
  userId: true,
  sealed: true,
  host: true,
  disabledReason: true,
  disabledAt: true,
  createdAt: true,
} as const;

/** Another address is another hook, which nothing is known against. */
// SQL: database time
const PUT = `
  INSERT INTO chat_hooks (user_id, hook_id, sealed, host) VALUES ($1, $2, $3, $4)
  ON CONFLICT (user_id) DO UPDATE SET hook_id = EXCLUDED.hook_id, sealed = EXCLUDED.sealed, host = EXCLUDED.host,
    disabled_reason = NULL, disabled_at = NULL, created_at = now()`;

/** Only the one that gave the answer: the person may have named another one meanwhile. */
// SQL: database time
const DISABLE = `
  UPDATE chat_hooks SET disabled_reason = $3, disabled_at = now()
  WHERE user_id = $1 AND hook_id = $2 AND disabled_at IS NULL RETURNING hook_id`;

/** The hooks of people: each has one, or none. */
@Injectable()
export class ChatHooksRepository {
  constructor(private readonly database: Database) {}

  /** Which of these people have one that is not disabled. */
  async reachable(userIds: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.database.prisma((prisma) =>
      prisma.chatHook.findMany({
        where: { userId: { in: [...userIds] }, disabledAt: null },
        select: { userId: true },
      }),
    );
    return new Set(rows.map(({ userId }) => userId));
  }

  async find(userId: string): Promise<ChatHook | null> {
    const row = await this.database.prisma((prisma) => prisma.chatHook.findUnique({ where: { userId }, select: HOOK }));
    return row && { ...row, disabledReason: CHAT_HOOK_FAULTS.find((fault) => fault === row.disabledReason) ?? null };
  }

  /** In the place of the one that there is. */
  async put({ userId, hookId, sealed, host }: NewChatHook): Promise<void> {
    await this.database.query('chat_hooks_put', PUT, [userId, hookId, sealed, host]);
  }

  /** @returns whether it was enabled, and is the one of its person. */
  async disable({ userId, hookId }: Pick<ChatHook, 'userId' | 'hookId'>, reason: ChatHookFault): Promise<boolean> {
    return (await this.database.query('chat_hooks_disable', DISABLE, [userId, hookId, reason])).length > 0;
  }

  async remove(userId: string): Promise<void> {
    await this.database.prisma((prisma) => prisma.chatHook.deleteMany({ where: { userId } }));
  }
}
