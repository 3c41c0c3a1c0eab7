-- A newer registration of an address voids the links of the older ones: they belong to no account, so they are found by
-- the address they would make one for.
CREATE INDEX "one_time_tokens_registration_idx" ON "one_time_tokens" ((payload #>> '{account,email}'))
  WHERE purpose = 'registration' AND used_at IS NULL;
