# An image that is there already, APP, with infisync in front of its program.
ARG APP=app
FROM ${APP}
COPY --from=infisync /infisync /infisync
COPY --from=infisync --chown=65532:65532 /state /state
VOLUME /state
ENV INFISYNC_STATE_DIR=/state
USER 65532:65532
HEALTHCHECK --start-period=2m CMD ["/infisync", "status", "--check"]
ENTRYPOINT ["/infisync", "run", "--"]
# To be said again: an ENTRYPOINT takes the CMD of APP away.
CMD ["/app"]
