# Inside a bare Debian with both packages, and no network but loopback: what a user would do first.
set -eu
for command in taiinet taiinet-keys taiinet-signaller; do
    "$command" --version
    test -s "/usr/share/man/man1/$command.1.gz"
    test -s "/usr/share/bash-completion/completions/$command"
done
test -s /usr/share/man/man1/taiinet-node.1.gz
test -s /usr/share/doc/taiinet-signaller/alerts.yml || test -s /usr/share/doc/taiinet-signaller/alerts.yml.gz
taiinet-signaller --config /etc/taiinet/taiinet-signaller.toml --check-config >/dev/null
taiinet-signaller --config /etc/taiinet/taiinet-signaller.toml >/tmp/signaller &
signaller=$!
export TAIINET_NETWORK=package TAIINET_SIGNALLER=ws://127.0.0.1:7700
taiinet-keys generate --no-passphrase --out /tmp/key >/dev/null
taiinet node --config /etc/taiinet/taiinet-node.toml --identity /tmp/key &
node=$!
timeout 60 taiinet subscribe '{}' --backlog --count 1 >/tmp/got &
subscriber=$!
echo '{"works":true}' | timeout 60 taiinet publish
wait "$subscriber"
grep -F '{"works":true}' /tmp/got
timeout 60 taiinet doctor
kill -TERM "$node" "$signaller"
wait "$node"
wait "$signaller"
rm /tmp/signaller /tmp/key /tmp/got
