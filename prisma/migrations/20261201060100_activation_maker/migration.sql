-- Whose permission a code comes from. Codes of before have none, and are over within a day.
ALTER TABLE "device_activations" ADD COLUMN "made_by" UUID;
CREATE INDEX "device_activations_made_by_idx" ON "device_activations"("made_by");
ALTER TABLE "device_activations" ADD CONSTRAINT "device_activations_made_by_fkey" FOREIGN KEY ("made_by") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
