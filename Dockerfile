# docker build -t xenreach . && docker run --rm xenreach demo
# A container on Docker's own network checks that network's way out; with `--network host` it checks the machine's.

# The version of the lock file (.ci/node), by tag: whoever builds for others pins the digest that they have looked at, --build-arg NODE=node:26.10.0-slim@sha256:...
ARG NODE=node:26.10.0-slim

FROM ${NODE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
COPY .ci/setup .ci/setup
COPY .ci/node .ci/node
RUN sh .ci/setup
COPY tsconfig.json tsconfig.build.json rolldown.config.ts ./
COPY probes probes
COPY src src
COPY specs specs
# What is left of node_modules is what the program loads: no compiler, though a package of ours would like one beside it.
RUN npm run build && npm prune --omit=dev --omit=peer --omit=optional --no-audit --no-fund

FROM ${NODE}
LABEL org.opencontainers.image.title="xenreach" \
      org.opencontainers.image.description="Checks a site against XenServer's published connectivity requirements" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /opt/xenreach
COPY package.json LICENSE ./
COPY specs specs
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/dist dist
# docker run --rm --read-only --tmpfs /tmp -v "$PWD:/site:ro" xenreach check --site site.yaml
WORKDIR /site
USER node
# SIGUSR1 would open a debugger.
ENTRYPOINT ["node", "--disable-sigusr1", "/opt/xenreach/dist/src/main.js"]
CMD ["--help"]
