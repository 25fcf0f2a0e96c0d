# Stops k3s on this host and removes it with its data. Deletes nothing that is mounted.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
data=/var/lib/rancher/k3s
units=/etc/systemd/system

if [ -d "$data/storage" ] && [ -n "$(ls -A "$data/storage")" ]; then
    echo "local volumes lie in $data/storage: move them away first" >&2
    exit 3
fi

for unit in k3s k3s-agent; do
    [ -f "$units/$unit.service" ] || continue
    systemctl disable "$unit" >/dev/null 2>&1
    systemctl stop "$unit" || exit 1
done

# The containers outlive the unit (KillMode=process): their shims are told by their program.
shims() {
    for process in /proc/[0-9]*; do
        program=$(readlink "$process/exe" 2>/dev/null) || continue
        case $program in "$data"/data/*/bin/containerd-shim*) echo "${process#/proc/}" ;; esac
    done
}
children() {
    for parent in "$@"; do
        for task in "/proc/$parent/task/"*; do
            below=$(cat "$task/children" 2>/dev/null)
            # shellcheck disable=SC2086
            [ -z "$below" ] || children $below
        done
        echo "$parent"
    done
}
found=$(shims)
if [ -n "$found" ]; then
    # shellcheck disable=SC2046,SC2086
    kill -9 $(children $found) 2>/dev/null
    sleep 1
fi

if command -v docker >/dev/null 2>&1; then
    containers=$(docker ps -aq --filter name=k8s_ 2>/dev/null)
    # shellcheck disable=SC2086
    [ -z "$containers" ] || docker rm -f $containers >/dev/null
fi

mounts() {
    while read -r _ _ _ _ point _; do
        case $point in
            /run/k3s/* | /var/lib/rancher/k3s/* | /var/lib/kubelet/* | /run/netns/cni-*) echo "$point" ;;
        esac
    done </proc/self/mountinfo | sort -r
}
mounts | while read -r point; do umount -- "$point"; done
left=$(mounts)
if [ -n "$left" ]; then
    echo "still mounted, so that nothing is deleted: $left" >&2
    exit 4
fi

if command -v ip >/dev/null 2>&1; then
    for link in cni0 flannel.1 flannel-v6.1 kube-ipvs0 flannel-wg flannel-wg-v6; do
        ip link delete "$link" 2>/dev/null
    done
fi
for tables in iptables ip6tables; do
    command -v "$tables-save" >/dev/null 2>&1 || continue
    "$tables-save" | grep -v KUBE- | grep -v CNI- | grep -iv flannel | "$tables-restore"
done

rm -f "$units/k3s.service" "$units/k3s.service.env" "$units/k3s-agent.service" "$units/k3s-agent.service.env"
systemctl daemon-reload
rm -rf --one-file-system /var/lib/kubelet /var/lib/cni /run/flannel /run/k3s "$data" /etc/rancher/k3s /etc/rancher/node || exit 1
for link in kubectl crictl ctr; do
    [ "$(readlink "/usr/local/bin/$link")" != k3s ] || rm -f "/usr/local/bin/$link"
done
rm -f /usr/local/bin/k3s /usr/local/bin/.k3s.boma-new /usr/local/bin/k3s-killall.sh \
    /usr/local/bin/k3s-uninstall.sh /usr/local/bin/k3s-agent-uninstall.sh
exit 0
