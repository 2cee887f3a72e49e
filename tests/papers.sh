#!/bin/sh
# The papers are set in PDF with a font for Urdu and read back with poppler. Where these are missing and we may
# install Debian packages, do; else the tests of PDF fail and say what they need.
if command -v pdftotext >/dev/null 2>&1 && fc-list 2>/dev/null | grep -q "Noto Nastaliq Urdu"; then
  exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing a font for Urdu and poppler for the tests of the papers …"
  apt-get update -qq >/dev/null 2>&1 && apt-get install -y -qq fontconfig fonts-noto-core poppler-utils >/dev/null 2>&1 && exit 0
fi
echo "no font for Urdu or no pdftotext here: install fonts-noto-core and poppler-utils, or the tests of PDF will fail"
