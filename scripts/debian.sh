# Debian's packages for the fetch scripts, which source this: from the mirrors that this machine's apt is set up for,
# with a sources list and state of their own. Nothing of the system's apt is read but its settings, and nothing changed.
# shellcheck shell=bash

# $work is set by the script: a folder of its own, removed at its end.

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }

# apt itself reads its configuration, in whatever style it is written.
mirrors() {
    apt-get update --print-uris -o Dir::State::lists="$work/none" 2>/dev/null |
        sed -n "s|^'\(.*\)/dists/[^']*/\(In\)\?Release'.*|\1|p" | sort -u
}

# Debian's own keys, where they are installed apart from apt's defaults, as an option of a sources list's line.
keyring() {
    local file
    for file in /usr/share/keyrings/debian-archive-keyring.pgp /usr/share/keyrings/debian-archive-keyring.gpg; do
        [ -e "$file" ] && { echo "[signed-by=$file]"; return; }
    done
}

private_apt() {
    local command=$1
    shift
    "$command" -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User="$(id -un)" "$@"
}

# use_suite KINDS MIRROR SUITE: the lists that private_apt works with from now on. KINDS: deb, deb-src, or both.
use_suite() {
    local kind
    rm -rf "$work/lists" "$work/cache"
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    for kind in $1; do
        echo "$kind $(keyring) $2 $3 main"
    done >"$work/sources.list"
    private_apt apt-get update >"$work/update.log" 2>&1
}
