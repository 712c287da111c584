#!/bin/sh
set -e
# What must be there before the service starts goes here.
exec infisync run --exec -- "$@"
