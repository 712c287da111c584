# What a pod's init container copies infisync from: the image infisync, of examples/docker,
# has no cp.
ARG BUSYBOX=busybox:stable-musl
FROM ${BUSYBOX}
COPY --from=infisync /infisync /infisync
USER 65532:65532
CMD ["cp", "/infisync", "/opt/infisync/infisync"]
