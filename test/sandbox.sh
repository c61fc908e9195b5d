#!/bin/sh
# sandbox.sh FOLDER… -- COMMAND… runs the command with all files read-only, except those in these folders.
# `unshare --mount` starts this script, which makes the mounts of its own namespace read-only one by one.
set -eu
mounts=$(cat /proc/self/mountinfo)
while [ "$1" != -- ]; do
  mount --bind "$1" "$1"
  shift
done
shift
echo "$mounts" | while read -r _ _ _ _ escaped options _; do
  point=$(printf '%b' "$escaped")
  case $point in /proc | /proc/* | /dev/pts) continue ;; esac
  # A mount that cannot be read (FUSE of another user) cannot be written either.
  if [ -e "$point" ]; then mount -o "remount,bind,$options,ro" "$point"; fi
done
# The namespace gets shared memory of its own, which ends with it.
if [ -d /dev/shm ]; then mount -t tmpfs -o mode=1777 tmpfs /dev/shm; fi
exec "$@"
