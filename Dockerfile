# The proxy alone: a static binary on an empty image, as a user without rights. Conversations are in /data; mount a volume there, or set
# OUTCROP_STORE=dynamodb.
#
#   docker build -t outcrop-proxy .
#   docker run --read-only --cap-drop ALL -p 127.0.0.1:3001:3001 -v outcrop:/data --env-file .env -e OUTCROP_LISTEN=0.0.0.0:3001 outcrop-proxy

FROM rust:1-alpine AS build
RUN apk add --no-cache musl-dev ca-certificates
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p outcrop-proxy \
    && mkdir -p /image/data /image/tmp \
    && cp target/release/outcrop-proxy /image/

FROM scratch
COPY --from=build --chown=65532:65532 /image/ /
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
USER 65532:65532
WORKDIR /data
ENV OUTCROP_DATA_DIR=/data
VOLUME /data
EXPOSE 3001
STOPSIGNAL SIGTERM
ENTRYPOINT ["/outcrop-proxy"]
CMD ["serve"]
