#!/bin/sh
# The first process of a test host, in namespaces of its own: mounts the host's root and becomes its
# systemd. Arguments: hostname, read-only layers (upper first, by colons), folder to mount on, disk
# size in MiB.
#
# The host cannot change the machine below it: /proc/sys is read-only but for net, /sys is read-only
# but for the host's own cgroup, and there is no right to load modules or to set the clock. There is
# one clock for all hosts, the machine's, so that a wrong clock cannot be shown here.
set -eu
name=$1 layers=$2 disk=$3 size=$4

mount --make-rprivate /
hostname "$name"
mount -t tmpfs -o "mode=755,size=${size}m" disk "$disk"
mkdir "$disk/upper" "$disk/work" "$disk/root"
mount -t overlay -o "lowerdir=$layers,upperdir=$disk/upper,workdir=$disk/work" root "$disk/root"
cd "$disk/root"
# The disk itself, for whoever makes it full from outside.
mount --bind "$disk" media

mount -t proc -o nosuid,nodev,noexec proc proc
mount --bind proc/sys proc/sys
mount --bind proc/sys/net proc/sys/net
mount -o remount,bind,ro proc/sys
if [ -e proc/sysrq-trigger ]; then
    mount --bind -o ro proc/sysrq-trigger proc/sysrq-trigger
fi

mount -t sysfs -o nosuid,nodev,noexec sysfs sys
# A machine without firmware tables has no folder for them, and sysfs grants none.
if [ ! -d sys/class/dmi/id ]; then
    mkdir "$disk/class" "$disk/class-work"
    mount -t overlay -o "lowerdir=sys/class,upperdir=$disk/class,workdir=$disk/class-work" class sys/class
    mkdir -p sys/class/dmi/id
    touch sys/class/dmi/id/product_uuid sys/class/dmi/id/product_serial
fi
for file in product_uuid product_serial; do
    mount --bind "etc/firmware/$file" "sys/class/dmi/id/$file"
done
mount -o remount,bind,ro sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup sys/fs/cgroup

mount -t tmpfs -o mode=755,nosuid tmpfs dev
mkdir dev/pts dev/shm
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
mknod -m 600 dev/console c 1 3
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run

pivot_root . mnt
cd /
umount -l /mnt
exec env -i container=other PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    setpriv --bounding-set=-sys_time,-sys_module,-syslog /sbin/init
