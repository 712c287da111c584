#!/bin/sh
set -e
# The migration: its failure is the container's.
infisync run --once -- "${MIGRATE:-./migrate}" up
exec infisync run -- "$@"
