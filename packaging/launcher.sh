#!/bin/sh
# Starts xenreach from the folder that this file lies in, with the Node, the loader and the C library that lie beside it:
# nothing of the system is needed but a kernel and this shell. Looks first whether they can be started, so that whoever
# cannot use them gets one sentence. POSIX sh, no external command where all is well.

stop() {
  echo "xenreach: $1" >&2
  exit 3
}

self=$0
case $self in
  */*) ;;
  *) [ -f "./$self" ] && self=./$self || self=$(command -v -- "$self") ;;
esac
# A symbolic link in PATH, or a chain of them.
while [ -h "$self" ]; do
  target=$(readlink "$self") || stop "$self is a symbolic link and there is no readlink here; call the file that it leads to."
  case $target in
    /*) self=$target ;;
    *) self=${self%/*}/$target ;;
  esac
done
folder=$(CDPATH='' cd -- "${self%/*}" && pwd -P) || stop "the folder of $self cannot be entered; look at its permissions."

again="unpack the archive again, after comparing it with SHA256SUMS."
# It is the last in the archive.
[ -e "$folder/lib/complete" ] || stop "the folder $folder is not whole: the archive was cut short or unpacked in part; $again"
while read -r part; do
  [ -s "$folder/$part" ] || stop "$part is missing from the folder $folder; $again"
done < "$folder/lib/complete"

# Neither /proc nor /dev/null need be there.
kernel=
[ ! -r /proc/sys/kernel/osrelease ] || read -r kernel < /proc/sys/kernel/osrelease
[ -n "$kernel" ] || kernel=$(uname -r)
major=${kernel%%.*}
minor=${kernel#*.}
minor=${minor%%[!0-9]*}
case $major$minor in
  '' | *[!0-9]*) ;;
  *)
    if [ "$major" -lt 4 ] || { [ "$major" -eq 4 ] && [ "$minor" -lt 18 ]; }; then
      stop "this kernel is $kernel and Node needs Linux 4.18 or newer; run it on a newer machine of the same network."
    fi
    ;;
esac

# What another C library's programs were to load with them would not fit this one.
unset LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT
loader=$folder/lib/ld-linux-x86-64.so.2
program=$folder/app/dist/src/main.js

# The control domain's own roots, beside Node's: what yum and curl believe there. Whoever sets the variable has chosen.
if [ -z "${NODE_EXTRA_CA_CERTS+set}" ]; then
  for roots in /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/certs/ca-certificates.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
    if [ -r "$roots" ] && [ -s "$roots" ]; then
      export NODE_EXTRA_CA_CERTS="$roots"
      break
    fi
  done
fi

# Maps Node and all it needs, and ends: 2 ms. What the shell has to say of a crash is part of what is told.
if why=$(
  exec 2>&1
  "$loader" --inhibit-cache --library-path "$folder/lib" --list "$folder/lib/node"
  exit $?
); then
  exec "$loader" --inhibit-cache --library-path "$folder/lib" "$folder/lib/node" --disable-sigusr1 "$program" "$@"
fi

# Another Node may start where ours does not: one that was put there for this machine, or the system's.
other=
for node in "$folder/fallback/node" "$(command -v node)"; do
  [ -x "$node" ] || continue
  [ -z "$other" ] || continue
  version=$("$node" --version 2>&1) || continue
  major=${version#v}
  major=${major%%.*}
  case $major in
    '' | *[!0-9]*) ;;
    *) [ "$major" -lt 22 ] || other=$node ;;
  esac
done
if [ -n "$other" ]; then
  echo "xenreach: its own Node does not start here; $other does, and is taken." >&2
  exec "$other" --disable-sigusr1 "$program" "$@"
fi

machine=$(uname -m)
case $machine in
  x86_64 | '') ;;
  *) stop "this machine is $machine and this folder is for x86_64; use the package (npm) with a Node of this machine." ;;
esac
case $why in
  *'failed to map segment'* | *'ermission denied'*)
    stop "nothing in $folder may be executed: its file system is mounted noexec, or the files lost their mode; move it elsewhere (/opt, /root, /run), or unpack it with tar there."
    ;;
  *'kernel too old'*)
    stop "this kernel is too old for the C library in $folder/lib; run it on a newer machine of the same network."
    ;;
esac
stop "Node does not start from $folder ($why); $again"
