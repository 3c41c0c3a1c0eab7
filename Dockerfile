# Everything that is needed to build, test and migrate.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No install script is needed: the native parts come prebuilt.
RUN npm ci --ignore-scripts
COPY . .
RUN node tools/launch.mjs build

FROM build AS production-packages
RUN npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 MQTT_HOST=0.0.0.0 STORAGE_PATH=/var/lib/mortise/files
# A volume that is mounted there the first time is given the owner of this folder.
RUN mkdir -p /var/lib/mortise/files && chown -R node:node /var/lib/mortise
COPY --from=production-packages /app/package.json ./
COPY --from=production-packages /app/node_modules ./node_modules
COPY --from=build /app/dist/src ./dist/src
# Read by `node dist/src/migrate.js`, and by every process that asks whether its database has them.
COPY --from=build /app/prisma/migrations ./prisma/migrations
# Told by `mortise_build_info`: docker build --build-arg COMMIT=$(git rev-parse HEAD)
ARG COMMIT=unknown
ENV BUILD_COMMIT=$COMMIT
USER node
EXPOSE 3000 1883
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT ?? 3000}/api/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# A young generation of the size that Node has on smaller machines: it grows with the memory of the host otherwise.
CMD ["node", "--enable-source-maps", "--max-semi-space-size=16", "dist/src/main.js"]
