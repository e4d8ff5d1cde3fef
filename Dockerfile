# syntax=docker/dockerfile:1
# The build gives JavaScript, which is the same for every platform. So it runs on the builder's platform, without emulation.
FROM --platform=$BUILDPLATFORM node:26-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node scripts/build.ts
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund
# The one table that is used is bundled into dist/node. The package holds 30 MB.
RUN rm -r node_modules/gpt-tokenizer

FROM node:26-alpine
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 DATA_DIR=/data
WORKDIR /app
RUN mkdir /data && chown node:node /data
COPY --from=build /app/package.json /app/sluice.schema.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/bin ./bin
COPY --from=build /app/dist/node ./dist/node
COPY --from=build /app/dist/pages ./dist/pages
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=3s --start-period=5s CMD wget -qO- http://127.0.0.1:8080/livez || exit 1
ENTRYPOINT ["node", "/app/bin/sluice.js"]
