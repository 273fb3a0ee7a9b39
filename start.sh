#!/usr/bin/env bash
# Sauda's one door: finds Python, gets uv and the virtual environment, then hands over to `infra/local`.
# Needs bash, coreutils and Python 3.11 or newer; everything it makes lies in .sauda/ (or $SAUDA_HOME).
set -euo pipefail

# Other users run some of the tools that are made here; what the tools make is private, see the last lines.
umask 022

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
home=${SAUDA_HOME:-$here/.sauda}
mkdir -p "$home"
home=$(cd "$home" && pwd -P)
tools=$home/tools
venv=$tools/venv
stamp=$venv/.sauda-stamp
export SAUDA_HOME=$home PYTHONPATH=$here PYTHONPYCACHEPREFIX=$home/cache/pycache
# Images of Python set it to keep folders of sources clean, which the line above does. With it, each start of Python
# would compile all that it imports.
unset PYTHONDONTWRITEBYTECODE

# Before anything is set up, help need not set it up. Afterwards every command has its own --help.
if [ "${1:-}" = help ]; then set -- --help; fi
case "${1:-}" in
  -h | --help)
    if [ ! -e "$stamp" ]; then
      names=()
      for file in "$here"/infra/local/commands/[a-z]*.py; do
        name=${file##*/}
        [[ $(<"$file") == *hidden=True* ]] || { name=${name%.py} && names+=("${name//_/-}"); }
      done
      cat <<END
Usage: ./start.sh [COMMAND]

Sauda: a streaming lakehouse for trade. Without a command: set up what is missing, start everything, send simulated
purchases through Kafka, Spark and ClickHouse, and show an answer.

Commands: ${names[*]}
Each has --help once ./start.sh has run.
END
      exit
    fi
    ;;
esac

refuse() { printf '%s\n' "$@" >&2; exit 2; }

find_python() {
  local name
  for name in python3.13 python3.12 python3.11 python3; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  refuse "Sauda needs Python 3.11 or newer, and there is none on PATH. On Debian or Ubuntu:" \
    "  sudo apt-get update && sudo apt-get install -y python3 python3-venv"
}

# uv from PATH, else from PyPI into a folder of its own. Debian's Python may come without venv, or without pip.
find_uv() {
  local folder=$tools/uv candidate
  for candidate in "$(command -v uv || true)" "$folder/bin/uv"; do
    if [ -n "$candidate" ] && "$candidate" --version >/dev/null 2>&1; then
      echo "$candidate"
      return
    fi
  done
  echo "Getting uv" >&2
  rm -rf "$folder"
  if "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    "$python" -m venv "$folder" >&2 && "$folder/bin/python" -m pip install -q uv >&2
  elif "$python" -m pip --version >/dev/null 2>&1; then
    "$python" -m pip install -q --target "$folder" uv >&2
  elif [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && [ -z "${tried_apt:-}" ]; then
    apt-get update -q >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q python3-venv >&2
    tried_apt=yes find_uv
    return
  else
    refuse "$python has neither venv nor pip, and uv is not on PATH. Run one of these, then ./start.sh again:" \
      "  sudo apt-get update && sudo apt-get install -y python3-venv" \
      "  or install uv: https://docs.astral.sh/uv/"
  fi
  [ -x "$folder/bin/uv" ] || refuse "uv could not be installed into $folder: see the lines above."
  echo "$folder/bin/uv"
}

# The groups that the command needs beside the ones it already has.
groups=()
case "${1:-}" in
  test | lint | new) groups=(dev) ;;
  bench) groups=(dev bench) ;;
esac
lock=$(sha256sum "$here/uv.lock" | cut -c1-64)
want=$lock${groups[*]:+ ${groups[*]}}
have=$(cat "$stamp" 2>/dev/null || true)
# A venv of the same lock with more groups in it will do.
case "$have " in
  "$want "*) ;;
  *)
    python=$(find_python)
    uv=$(find_uv)
    began=$SECONDS
    arguments=()
    # Naming another interpreter than the venv's own would make uv throw the venv away.
    "$venv/bin/python" -c '' 2>/dev/null || arguments=(--python "$python")
    for group in ${groups[@]+"${groups[@]}"}; do arguments+=(--group "$group"); done
    mkdir -p "$tools"
    echo "Making the virtual environment" >&2
    # Beside another ./start.sh, uv waits for its lock.
    UV_PROJECT_ENVIRONMENT=$venv "$uv" sync -q --project "$here" --locked --no-default-groups --inexact \
      ${arguments[@]+"${arguments[@]}"} \
      || { echo "The virtual environment could not be made: see the lines above." >&2; exit 1; }
    echo "$want" >"$stamp"
    echo "✓ Virtual environment  $((SECONDS - began)) s" >&2
    ;;
esac

umask 077
exec "$venv/bin/python" -m infra.local "$@"
