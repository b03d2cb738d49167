#!/bin/sh
# Replaces the replicas one after the other, by the image that there is now, without a failed request:
#   docker compose build && ./rolling-restart.sh
# Arguments are those of the files: ./rolling-restart.sh -f docker-compose.yml -f docker-compose.tls.yml
set -eu
cd "$(dirname "$0")"
export SESSION_STORE_TYPE=redis
for container in $(docker compose "$@" ps --quiet replica); do
  # SIGTERM, and as long as `stop_grace_period` says.
  docker stop "$container"
  docker rm "$container"
  # The missing one, and only that: the others stay although the image is another.
  docker compose "$@" up --detach --no-deps --no-recreate --wait replica
done
