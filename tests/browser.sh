#!/bin/sh
# The pages are tested in a real Chromium. Where there is none and we may install Debian packages, do.
if [ -n "$KHOLO_CHROMIUM" ] || command -v chromium >/dev/null 2>&1; then
  exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing Chromium for the tests of the pages …"
  apt-get update -qq >/dev/null 2>&1 && apt-get install -y -qq chromium fonts-dejavu-core >/dev/null 2>&1 && exit 0
fi
echo "no Chromium here: the browser tests will be skipped (install it, or set KHOLO_CHROMIUM to its path)"
