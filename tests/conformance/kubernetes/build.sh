#!/bin/bash
# Builds kube-apiserver, kube-controller-manager and kube-scheduler from Debian's source package, and
# puts Debian's etcd beside them. The folder stays in the cache under a name that holds the version
# and this file's digest. Prints its path. A step that cannot be done ends it, naming the command.
# Needs golang-go, rsync, dpkg-dev; 3 GB of disk for a while, and some 6 minutes on 2 cores, once.
set -Eeuo pipefail
trap 'echo "FAILED (exit code $?): $BASH_COMMAND" >&2' ERR

suite=bookworm
version=1.20.2
package=1.20.5+really1.20.2
mirror=${BOMA_DEBIAN_MIRROR:-http://deb.debian.org/debian}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/boma-conformance
built=$cache/kubernetes-$version-$(sha256sum "$0" | cut -c 1-12)
programs=(kube-apiserver kube-controller-manager kube-scheduler)

# Sources through apt with a configuration of its own, so that the computer's stays as it is; apt
# checks signatures and digests. etcd is unpacked and not installed, which would start a service.
fetch() {
    mkdir -p apt/lists/partial apt/archives/partial source/src/k8s.io etcd reflect2
    local from="[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
    printf '%s\n' "deb $from" "deb-src $from" >apt/sources.list
    local options=(-q -o Dir::Etc::SourceList="$PWD/apt/sources.list" -o Dir::Etc::SourceParts=-
        -o Dir::State::Lists="$PWD/apt/lists" -o Dir::Cache="$PWD/apt" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update
    apt-get "${options[@]}" source --download-only kubernetes
    dpkg-source --extract kubernetes_"$package"-*.dsc source/src/k8s.io/kubernetes
    apt-get "${options[@]}" download etcd-server golang-github-modern-go-reflect2-dev
    dpkg-deb --extract etcd-server_*.deb etcd
    dpkg-deb --extract golang-github-modern-go-reflect2-dev_*.deb reflect2
    # The sources bring a release of this library that goes through maps as Go did until 1.17. With
    # Debian's Go the API server dies of it now and then, in a LIST; Debian's own release knows how.
    local vendored=source/src/k8s.io/kubernetes/vendor/github.com/modern-go/reflect2
    rm "$vendored"/*.go "$vendored"/*.s
    cp reflect2/usr/share/gocode/src/github.com/modern-go/reflect2/*.go "$vendored"
    cp reflect2/usr/share/gocode/src/github.com/modern-go/reflect2/*.s "$vendored"
}

# The version is told, because a source package has no git history to read it from.
build() {
    cat >version <<END
KUBE_GIT_COMMIT=0000000000000000000000000000000000000000
KUBE_GIT_TREE_STATE=archive
KUBE_GIT_VERSION=v$version
KUBE_GIT_MAJOR=1
KUBE_GIT_MINOR=20
END
    env -C source/src/k8s.io/kubernetes PATH="/usr/lib/go/bin:$PATH" GOPATH="$PWD/source" \
        GOCACHE="$PWD/go" GOFLAGS= GO111MODULE= CGO_ENABLED=0 KUBE_GIT_VERSION_FILE="$PWD/version" \
        make WHAT="${programs[*]/#/cmd/}"
}

if [ ! -d "$built" ]; then
    mkdir -p "$cache"
    new=$(mktemp -d "$cache/kubernetes-new.XXXXXX")
    trap 'chmod -R u+w "$new"; rm -rf --one-file-system "$new"' EXIT
    cd "$new"
    fetch >&2
    build >&2
    mkdir bin
    cp "${programs[@]/#/source/src/k8s.io/kubernetes/_output/bin/}" etcd/usr/bin/etcd bin
    for program in bin/*; do "$program" --version >&2; done
    mv bin "$built"
fi
printf '%s\n' "$built"
