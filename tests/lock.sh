#!/bin/sh
# Write the lock files: what pyproject.toml allows, as installed in fresh environments today.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for kind in "" "[dev]"; do
  python3 -m venv "$work/venv"
  "$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check ".$kind"
  name=requirements$([ -n "$kind" ] && echo -dev || true).lock
  { echo "# Written by make lock. What is installed; pyproject.toml says what is allowed."
    "$work/venv/bin/python" -m pip freeze --exclude kholo --exclude pip --exclude setuptools; } > "$name"
  rm -rf "$work/venv"
done
