# One image for every role: `gatehouse` alone is the whole house, `gatehouse auth|widget|gateway …` is one part of it.

# The manifests and an empty crate root for each of them: all that decides what the dependencies are. What this stage
# leaves is the same until one of them changes, so the layer of compiled dependencies below stays cached, and no list
# of crates has to be kept here.
FROM rust:1.95-slim-bookworm AS manifests
WORKDIR /src
COPY . .
RUN find . -type f \
      ! -name Cargo.toml ! -name Cargo.lock ! -name build.rs ! -path '*/src/lib.rs' ! -path '*/src/main.rs' -delete \
 && find . -type d -empty -delete \
 && for file in $(find . -name '*.rs'); do printf '#![allow(warnings)]\nfn main() {}\n' >"$file"; done

FROM rust:1.95-slim-bookworm AS build
# `--build-arg PROFILE=dev` compiles in a third of the time, for trying things: what comes out is large and slow.
ARG PROFILE=release
WORKDIR /src
COPY --from=manifests /src .
RUN cargo build --profile "$PROFILE" --locked --package gatehouse
COPY . .
# Cargo goes by times, and the sources may be older than the empty roots that were just compiled.
RUN find . -path ./target -prune -o -name '*.rs' -exec touch {} + \
 && cargo build --profile "$PROFILE" --locked --package gatehouse \
 && mkdir -p /out/data \
 && cp target/*/gatehouse /out/

# The C library, root certificates and an unprivileged user (65532); no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/gatehouse /usr/local/bin/gatehouse
# Where the whole house keeps its databases: mount a volume here to keep them.
COPY --from=build --chown=65532:65532 /out/data /var/lib/gatehouse/data
WORKDIR /var/lib/gatehouse
USER 65532:65532

# A container's loopback is of no use to anybody outside it; what is reachable is decided by what is published.
ENV AUTH_LISTEN=0.0.0.0:50051 \
    WIDGET_LISTEN=0.0.0.0:50052 \
    GATEWAY_LISTEN=0.0.0.0:8080 \
    AUTH_OPS_LISTEN=0.0.0.0:9101 \
    WIDGET_OPS_LISTEN=0.0.0.0:9102 \
    GATEWAY_OPS_LISTEN=0.0.0.0:9100
EXPOSE 8080 50051 50052

STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s CMD ["gatehouse", "health"]
ENTRYPOINT ["gatehouse"]

ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="gatehouse" \
      org.opencontainers.image.description="Authenticated gRPC services behind a REST gateway" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:nonroot"
