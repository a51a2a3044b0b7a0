# syntax=docker/dockerfile:1
# The image of a node. Built in two stages, so that neither the compiler nor the tests are in what runs.
#   docker build -t coppice .
#   docker run --rm -v coppice:/data -p 8545:8545 coppice node --data-dir /data
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
# Dependencies first: this layer is rebuilt only when they change.
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY genesis ./genesis
COPY src ./src
RUN npm run build
# What runs is installed again without the development packages, and without the packaged Node: the image has the same one.
WORKDIR /package
RUN cp /build/package.json /build/package-lock.json ./ \
    && npm ci --omit=dev --no-audit --no-fund \
    && rm -rf node_modules/node node_modules/.bin/node \
    && mkdir scripts && cp /build/scripts/coppice.mjs scripts/ \
    && cp -r /build/dist /build/genesis ./

FROM ${NODE_IMAGE} AS runtime
# tini passes signals on and reaps what `coppice devnet` starts.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/*
# V8 collects garbage before it is gigabytes (docs/operators.md, "Starting fast, running fast").
ENV NODE_ENV=production \
    NODE_OPTIONS=--max-old-space-size=1024
WORKDIR /opt/coppice
COPY --from=build /package ./
RUN ln -s /opt/coppice/scripts/coppice.mjs /usr/local/bin/coppice \
    && mkdir /data && chown node:node /data
USER node
VOLUME /data
# JSON-RPC, peers, metrics and health.
EXPOSE 8545 9545 10545
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.COPPICE_METRICS_PORT ?? 10545}/health`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "coppice"]
CMD ["--help"]
