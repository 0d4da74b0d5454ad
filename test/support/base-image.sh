#!/bin/sh
# A base image like node:26-slim, made of what this machine has, where no registry of images can be reached: Node, npm, the
# C library, a few programs and the user "node".      sh base-image.sh FOLDER NODE IMAGE [OPTIONS OF BUILDAH]
set -eu
folder=$1 node=$2 image=$3
shift 3
libraries=lib/x86_64-linux-gnu
cd "$folder"
mkdir -p bin etc lib64 "$libraries" root tmp usr/bin usr/local/bin usr/local/lib
chmod 1777 tmp
cp /bin/busybox bin/
for applet in sh cat dirname echo env mkdir rm; do ln -s busybox "bin/$applet"; done
ln -s /bin/env usr/bin/env
cp /usr/bin/cksum usr/bin/
cp "$node" usr/local/bin/node
for library in $(ldd "$node" /usr/bin/cksum | grep -o '/lib[^ ]*\.so[^ ]*') /lib/x86_64-linux-gnu/librt.so.1; do
  cp -L "$library" "$libraries/"
done
cp -L /lib64/ld-linux-x86-64.so.2 lib64/
npm=$(readlink -f "$(command -v npm)")
cp -R "${npm%/bin/npm-cli.js}" usr/local/lib/npm
ln -s ../lib/npm/bin/npm-cli.js usr/local/bin/npm
printf 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n' > etc/passwd
printf 'root:x:0:\nnode:x:1000:\n' > etc/group

container=$(buildah "$@" from scratch)
buildah "$@" copy --quiet "$container" "$folder" / > /dev/null
buildah "$@" config --env PATH=/usr/local/bin:/usr/bin:/bin "$container"
buildah "$@" commit --quiet "$container" "$image" > /dev/null
