-- CreateTable
CREATE TABLE "chat_hooks" (
    "user_id" UUID NOT NULL,
    "hook_id" UUID NOT NULL,
    "sealed" BYTEA NOT NULL,
    "host" TEXT NOT NULL,
    "disabled_reason" TEXT,
    "disabled_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),

    CONSTRAINT "chat_hooks_pkey" PRIMARY KEY ("user_id")
);

-- CreateTable
CREATE TABLE "mail_suppressions" (
    "user_id" UUID NOT NULL,
    "address_hash" BYTEA NOT NULL,
    "reason" TEXT NOT NULL,
    "reported_at" TIMESTAMPTZ(3) NOT NULL,
    "lifted_at" TIMESTAMPTZ(3),

    CONSTRAINT "mail_suppressions_pkey" PRIMARY KEY ("user_id")
);

-- AddForeignKey
ALTER TABLE "chat_hooks" ADD CONSTRAINT "chat_hooks_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "mail_suppressions" ADD CONSTRAINT "mail_suppressions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
