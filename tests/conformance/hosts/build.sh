#!/bin/sh
# Builds the root file system that all test hosts share: Debian with systemd, OpenSSH and ufw, and no
# Docker. It stays in the cache under a name that holds this file's digest. Prints its path.
# Needs root and debootstrap.
set -eu

suite=bookworm
mirror=${BOMA_DEBIAN_MIRROR:-http://deb.debian.org/debian}
# python3 runs the stand-in for k3s, openssl makes certificates in it.
packages=systemd,systemd-sysv,dbus,openssh-server,sudo,iproute2,iptables,ufw,procps,kmod,curl
packages=$packages,ca-certificates,openssl,python3
cache=${XDG_CACHE_HOME:-$HOME/.cache}/boma-conformance
key=$(sha256sum "$0" | cut -c 1-12)
root=$cache/hosts-$suite-$key

if [ ! -d "$root" ]; then
    mkdir -p "$cache"
    new=$(mktemp -d "$cache/hosts-$suite-new.XXXXXX")
    trap 'rm -rf --one-file-system "$new"' EXIT
    chmod 755 "$new"
    debootstrap --variant=minbase --include="$packages" "$suite" "$new" "$mirror" >&2

    # What needs devices or a console that a network namespace with a chroot does not have.
    for unit in systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket \
        systemd-resolved.service systemd-networkd.service systemd-timesyncd.service \
        getty@tty1.service console-getty.service systemd-logind.service \
        apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
        e2scrub_reap.service systemd-modules-load.service; do
        ln -sf /dev/null "$new/etc/systemd/system/$unit"
    done
    ln -sf /lib/systemd/system/multi-user.target "$new/etc/systemd/system/default.target"
    mkdir -p "$new/etc/systemd/journald.conf.d"
    printf '[Journal]\nStorage=volatile\n' >"$new/etc/systemd/journald.conf.d/hosts.conf"
    chroot "$new" useradd --create-home --shell /bin/bash ubuntu
    # Each host gets these of its own.
    rm -f "$new"/etc/ssh/ssh_host_* "$new/etc/machine-id" "$new/etc/hostname" "$new/etc/resolv.conf"
    rm -rf "$new"/var/cache/apt/*.bin "$new"/var/cache/apt/archives/*.deb "$new"/var/lib/apt/lists/*
    mv "$new" "$root"
fi
printf '%s\n' "$root"
