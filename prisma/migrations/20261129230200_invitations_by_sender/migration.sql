-- A member who is blocked, deleted, demoted or removed loses the invitations they sent: found by this index.
CREATE INDEX "invitations_invited_by_idx" ON "invitations"("invited_by");
