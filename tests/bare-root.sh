#!/usr/bin/env bash
# Runs the README's two commands as a fresh machine would: in a bare Debian (debootstrap, minbase), from a
# clone of what is committed here.
#
#   sudo tests/bare-root.sh [FOLDER [COMMAND…]]
#
# Half an hour on two cores; the folder is emptied first. Commands take the place of the README's two.
#
# Of this machine it uses the kernel, the network and the Rust toolchain, which rustup would fetch; all else
# comes from Debian, crates.io and the npm registry. Its mounts and processes end with it.
set -euo pipefail

sources="$(cd "$(dirname "$0")/.." && pwd)"
root="${1:-/var/lib/taiinet-bare-root}"
commands=("${@:2}")
[ "${#commands[@]}" -gt 0 ] || commands=('cargo xtask demo --once' 'cargo xtask test')
rustup="${RUSTUP_HOME:-$HOME/.rustup}"
cargo="${CARGO_HOME:-$HOME/.cargo}"

if [ "$(id -u)" != 0 ]; then
  echo "a root folder of one's own takes root: sudo $0" >&2
  exit 2
fi
if ! command -v debootstrap >/dev/null; then
  echo "debootstrap is missing: apt-get install debootstrap" >&2
  exit 2
fi
# A folder that others may write to could become a link while this runs.
parent="$(realpath "$(dirname "$root")")"
if [ "$(stat -c %u "$parent")" != 0 ] || [ -n "$(find "$parent" -maxdepth 0 -perm /022)" ]; then
  echo "$parent is not root's alone: name a folder in one that is" >&2
  exit 2
fi
root="$parent/$(basename "$root")"
if [ -L "$root" ] || { [ -e "$root" ] && [ ! -e "$root/.taiinet-bare-root" ]; }; then
  echo "$root is none of ours: name another folder, or remove it" >&2
  exit 2
fi

# A mount namespace of its own: nothing that is mounted below outlives the script.
if [ "${TAIINET_BARE:-}" != inside ]; then
  TAIINET_BARE=inside exec unshare --mount --pid --fork --kill-child --mount-proc "$0" "$root" "${commands[@]}"
fi

rm -rf --one-file-system "$root"
mkdir "$root"
touch "$root/.taiinet-bare-root"
echo "━━ debootstrap"
debootstrap --variant=minbase bookworm "$root" http://deb.debian.org/debian >/dev/null
cat >"$root/etc/apt/sources.list" <<'SOURCES'
deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian bookworm-updates main
deb http://deb.debian.org/debian-security bookworm-security main
SOURCES

mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs -o mode=755 dev "$root/dev"
for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
  IFS=: read -r name major minor <<<"$node"
  mknod -m 666 "$root/dev/$name" c "$major" "$minor"
done
mkdir "$root/dev/shm" "$root/dev/pts" "$root/dev/net"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 pts "$root/dev/pts"
mknod -m 666 "$root/dev/net/tun" c 10 200
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
cp /etc/resolv.conf /etc/hosts "$root/etc/"

# What the README's line with rustup leaves behind.
mkdir -p "$root/root/.rustup" "$root/root/.cargo/bin" "$root/sources"
tar -C "$rustup" --exclude=share/doc -c . | tar -C "$root/root/.rustup" -x
cp -a "$cargo"/bin/{cargo,rustc,rustdoc,rustup,rustfmt,cargo-fmt,cargo-clippy,clippy-driver} "$root/root/.cargo/bin/"
mkdir -p "$root/usr/local/share/ca-certificates"
cp -aT /usr/local/share/ca-certificates "$root/usr/local/share/ca-certificates"
[ ! -e "$cargo/config.toml" ] || cp "$cargo/config.toml" "$root/root/.cargo/"
mount --bind -o ro "$sources" "$root/sources"

# Nothing of this machine's environment goes in, but for the way to the network, and whom to trust there.
inside() {
  env -i HOME=/root USER=root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
    PATH=/root/.cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    RUSTUP_AUTO_INSTALL=0 ${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt} \
    ${HTTPS_PROXY:+HTTPS_PROXY="$HTTPS_PROXY"} ${HTTP_PROXY:+HTTP_PROXY="$HTTP_PROXY"} \
    chroot "$root" bash -euo pipefail -c "$1"
}

inside 'apt-get update -q && apt-get install -qy build-essential git curl ca-certificates >/dev/null'
inside 'git -c safe.directory="*" clone -q /sources ~/taiinet && cd ~/taiinet && git log --oneline -1'
for command in "${commands[@]}"; do
  echo "━━ $command"
  started=$SECONDS
  inside "cd ~/taiinet && $command"
  echo "━━ $command: passed after $((SECONDS - started)) s"
done
