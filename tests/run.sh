#!/usr/bin/env bash
# Everything that must hold before a change lands: `bash tests/run.sh`. Stops at the first failure.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

vulkan_is_there() {
    [ -n "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ] ||
        compgen -G '/usr/share/vulkan/icd.d/*.json' >/dev/null ||
        compgen -G '/etc/vulkan/icd.d/*.json' >/dev/null
}

# Shaders are tested on a real adapter or on Mesa's software one, never on none.
install_vulkan() {
    local packages=(libvulkan1 mesa-vulkan-drivers) as_root=()
    if ! command -v apt-get >/dev/null; then
        echo "no apt-get here; install a Vulkan driver by hand to run the shader tests"
        return
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "not root and no sudo; ask for ${packages[*]} to run the shader tests"
            return
        fi
        as_root=(sudo)
    fi
    export DEBIAN_FRONTEND=noninteractive
    if "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null; then
        echo "installed ${packages[*]}"
    else
        echo "cannot install ${packages[*]}; tests that need an adapter will say so"
    fi
}

step "Vulkan adapter"
if vulkan_is_there; then echo "present"; else install_vulkan; fi

# Report pages are looked at in a browser, terminals drawn by tmux, and tables read by tools of others, by scripts whose
# requirements are pinned.
install_browser() {
    local packages=() as_root=()
    command -v chromium >/dev/null || packages+=(chromium fonts-dejavu-core)
    command -v tmux >/dev/null || packages+=(tmux)
    python3 -c 'import ensurepip' 2>/dev/null || packages+=(python3 python3-venv)
    [ "${#packages[@]}" -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null || { [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; }; then
        echo "install ${packages[*]} by hand to look at report pages and terminals"
        return 0
    fi
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null ||
        echo "cannot install ${packages[*]}; tests that need them will say so"
}

step "Browser and Python tools"
install_browser
tools=target/python
if ! cmp -s tests/requirements.txt "$tools/requirements.txt"; then
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check -r tests/requirements.txt
    cp tests/requirements.txt "$tools/"
fi
export GIGAWATT_PYTHON="$PWD/$tools/bin/python" GIGAWATT_REQUIRE_TOOLS=1

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [ -z "${XDG_RUNTIME_DIR:-}" ]; then
    chmod 700 "$scratch"
    export XDG_RUNTIME_DIR=$scratch
fi
export GIGAWATT_REQUIRE_ADAPTER=1 CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"

step "cargo fmt --check"
cargo fmt --check

step "cargo clippy --all-targets -- -D warnings"
cargo clippy --locked --all-targets -- -D warnings

step "cargo test"
cargo test --locked

step "cargo doc --no-deps"
RUSTDOCFLAGS=-Dwarnings cargo doc --locked --no-deps

step "smoke run: gigawatt simulate"
cargo run --locked --quiet -- simulate

step "all good"
