# A node for Offsite: `offsite serve` as PID 1, as a user who is not root. See docs/serve.md.
#
#   docker build -t offsite .                                             the package from the registry
#   npm pack && docker build -t offsite --build-arg PACKAGE=./offsite-0.1.0.tgz .    this source
#   docker run -d -p 35000:35000 -v "$PWD/keys:/run/secrets/offsite:ro" offsite
# From 22.15 on Node.js can hand process 1 to an init, which waits for what sites leave behind.
FROM node:24-slim

# The name of a package as npm takes it, or a tarball beside this file.
ARG PACKAGE=offsite

# Only a tarball is of use here; .dockerignore keeps the rest out.
COPY . /tmp/build/
RUN cd /tmp/build \
 && npm install --global --omit=dev --no-audit --no-fund "${PACKAGE}" \
 && cd / && rm -rf /tmp/build /root/.npm

# The image's own user `node` has the numbers that many hosts have for a person.
RUN useradd --system --create-home --home-dir /var/lib/offsite --shell /usr/sbin/nologin --uid 9500 offsite \
 && install -d -o offsite -g offsite -m 0700 /run/offsite /var/lib/offsite/sites

USER offsite
WORKDIR /var/lib/offsite
# Where the control socket lies, by which the health check and `docker exec … offsite status` ask.
ENV XDG_RUNTIME_DIR=/run/offsite
EXPOSE 35000

# A file with keys (offsite keygen --out keys) has to be mounted: without credentials nothing listens beyond loopback.
ENTRYPOINT ["offsite", "serve", "--host", "0.0.0.0", "--dest-path-prefix", "/var/lib/offsite/sites"]
CMD ["--secret-file", "/run/secrets/offsite/keys"]

HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["offsite", "status", "--json"]

# SIGTERM drains; `docker stop --time` says how long it may take before what still runs is killed.
STOPSIGNAL SIGTERM
