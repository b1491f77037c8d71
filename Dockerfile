# Builds the one image of all roles: the sources and their production dependencies, run by an unprivileged user.

FROM oven/bun:1.4-slim AS dependencies
WORKDIR /app
COPY package.json bun.lock bunfig.toml ./
RUN bun install --frozen-lockfile --production --ignore-scripts

FROM oven/bun:1.4-slim
# Not loopback, as a published port does not reach it: the api role then refuses to start without ADMIN_TOKEN.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=9502 DATA_DIR=/data
WORKDIR /app
RUN install --directory --owner=bun --group=bun /data
COPY --from=dependencies /app/node_modules ./node_modules
# Sources and no bundle: threads and forks are started from their .ts files.
COPY package.json bunfig.toml ./
COPY src ./src
USER bun
VOLUME /data
EXPOSE 9502
STOPSIGNAL SIGTERM
# proxy: false, or an HTTP_PROXY of the container would be asked about ourselves.
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["bun", "--no-install", "-e", "const { ok } = await fetch(`http://127.0.0.1:${process.env.PORT}/healthz`, { proxy: false }); process.exit(ok ? 0 : 1)"]
CMD ["bun", "--no-install", "src/main.ts", "start"]
