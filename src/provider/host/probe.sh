# Reads a host and changes nothing. Prints one JSON object: name of an item -> base64 of its text.
# POSIX sh; needs coreutils and, for what they alone know, systemd, ufw, docker, openssl and k3s.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
TZ=UTC
export PATH LC_ALL TZ
units=/etc/systemd/system
rancher=/etc/rancher/k3s
data=/var/lib/rancher/k3s
separator='{'

# put NAME BASE64
put() {
    printf '%s"%s":"%s"\n' "$separator" "$1" "$2"
    separator=,
}

# file NAME PATH: its first 64 KiB.
file() {
    [ -f "$2" ] && [ -r "$2" ] || return 0
    put "$1" "$(head -c 65536 "$2" | base64 -w 0)"
}

# files PREFIX PATH...: one item each. A name that would need quoting is only reported.
files() {
    prefix=$1
    shift
    for path in "$@"; do
        name=${path##*/}
        case $name in
            *[!A-Za-z0-9._-]*) [ ! -f "$path" ] || put odd-file "$(printf %s "$path" | base64 -w 0)" ;;
            *) file "$prefix/$name" "$path" ;;
        esac
    done
}

# output NAME SECONDS BYTES COMMAND...: what it prints, where it prints anything.
output() {
    item=$1 seconds=$2 bytes=$3
    shift 3
    command -v "$1" >/dev/null 2>&1 || return 0
    text=$(timeout -k 1 "$seconds" "$@" 2>/dev/null </dev/null | head -c "$bytes" | base64 -w 0)
    [ -z "$text" ] || put "$item" "$text"
}

output hostname 2 256 hostname
file machine-id /etc/machine-id
file product-serial /sys/class/dmi/id/product_serial
file product-uuid /sys/class/dmi/id/product_uuid
file os-release /etc/os-release
output kernel 2 256 uname -rm
output cpus 2 64 nproc
file meminfo /proc/meminfo
output disk 5 4096 df -Pk /var/lib
output clock-sync 5 64 timedatectl show -p NTPSynchronized --value
output cgroup 2 64 stat -fc %T /sys/fs/cgroup
if command -v ip >/dev/null 2>&1; then
    put route "$(timeout 5 ip -o route show default 2>/dev/null | head -c 4096 | base64 -w 0)"
fi
files mark /etc/boma/*.json
output ufw-status 10 65536 ufw status verbose
output ufw-added 10 262144 ufw show added
output firewall-revert 5 64 systemctl is-active boma-firewall-revert.timer
output docker-version 5 1024 dockerd --version
output docker-active 5 64 systemctl is-active docker

output k3s-version 10 1024 k3s --version
unit=
for name in k3s k3s-agent; do
    if [ -z "$unit" ] && [ -f "$units/$name.service" ]; then unit=$name; fi
done
active=
if [ -n "$unit" ]; then
    output unit-show 5 4096 systemctl show "$unit.service" -p \
        Id,LoadState,ActiveState,SubState,UnitFileState,NRestarts,ExecMainStartTimestamp
    file unit-text "$units/$unit.service"
    file unit-env "$units/$unit.service.env"
    file unit-default "/etc/default/$unit"
    file unit-sysconfig "/etc/sysconfig/$unit"
    files unit-d "$units/$unit.service.d"/*.conf
    active=$(timeout 5 systemctl is-active "$unit" 2>/dev/null)
    [ "$active" = active ] || output journal 10 16384 journalctl -u "$unit" -n 20 --no-pager -o cat
fi
file config "$rancher/config.yaml"
files config-d "$rancher/config.yaml.d"/*.yaml "$rancher/config.yaml.d"/*.yml
newest=$(stat -L -c %Y "$rancher/config.yaml" "$rancher/config.yaml.d"/*.y*ml "$units/$unit.service" \
    "$units/$unit.service.env" "$units/$unit.service.d"/*.conf /usr/local/bin/k3s 2>/dev/null |
    sort -n | tail -n 1)
[ -z "$newest" ] || put config-time "$(printf %s "$newest" | base64 -w 0)"
file token "$rancher/token"
file token-unused "$rancher/token.unused"
file agent-token "$rancher/agent-token"
file registries "$rancher/registries.yaml"
file server-token "$data/server/token"
if [ -d "$data/server/db/etcd" ] || [ -f "$data/agent/client-kubelet.crt" ]; then
    put joined "$(printf yes | base64 -w 0)"
fi
if [ -d "$data/server/db/etcd" ]; then
    put etcd "$(printf yes | base64 -w 0)"
fi
if [ -f "$data/server/tls/server-ca.crt" ]; then
    output cacert-hash 5 256 sha256sum "$data/server/tls/server-ca.crt"
fi
if command -v openssl >/dev/null 2>&1; then
    ends=$(for certificate in "$data"/server/tls/*.crt "$data"/server/tls/etcd/*.crt "$data"/agent/*.crt; do
        case $certificate in *ca.crt | *ca.nochain.crt) continue ;; esac
        [ -f "$certificate" ] || continue
        end=$(timeout 2 openssl x509 -noout -enddate -in "$certificate" 2>/dev/null </dev/null) || continue
        date -u -d "${end#notAfter=}" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null
    done | sort | head -n 1)
    [ -z "$ends" ] || put certificate-ends "$(printf %s "$ends" | base64 -w 0)"
fi
if [ "$unit" = k3s ] && [ "$active" = active ]; then
    output nodes 12 8388608 timeout 10 k3s kubectl get nodes -o json
fi
# Last, so that it is as near as can be to the moment when the answer arrives.
output clock 2 64 date +%s
printf '}\n'
