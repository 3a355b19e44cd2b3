use serde_json::Value;

use crate::program::{Folder, Program, run, text};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/taiinet-signaller.toml");

fn checked(args: &[&str]) -> Value {
    let output = run(&[args, &["--check-config", "--json"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What it says of a wrong configuration.
fn complaint(args: &[&str]) -> String {
    let output = run(&[args, &["--check-config"]].concat());
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    assert_eq!(text(&output.stdout), "");
    // It does not start with it either.
    assert_eq!(run(args).status.code(), Some(2), "{args:?}");
    text(&output.stderr).to_owned()
}

#[test]
fn the_example_says_the_defaults_and_names_each_option() {
    assert_eq!(checked(&["--config", EXAMPLE]), checked(&[]));
    let example = std::fs::read_to_string(EXAMPLE).unwrap();
    let help = run(&["--help"]);
    let options = text(&help.stdout).lines().filter_map(|line| {
        let name = line.trim_start().trim_start_matches("-h, ").trim_start_matches("-V, ");
        Some(name.strip_prefix("--")?.split([' ', '[']).next()?.to_owned())
    });
    let mut count = 0;
    for option in options {
        if matches!(option.as_str(), "config" | "check-config" | "help" | "version") {
            continue;
        }
        let mut lines = example.lines().map(|line| line.trim_start_matches("# "));
        assert!(lines.any(|line| line.starts_with(&format!("{option} = "))), "{option}");
        count += 1;
    }
    assert!(count >= 25, "{count} options found in the help");
}

#[test]
fn what_is_commented_out_in_the_example_can_be_used() {
    let folder = Folder::new();
    let example = std::fs::read_to_string(EXAMPLE).unwrap();
    let mut text = String::new();
    for line in example.lines() {
        let bare = line.strip_prefix("# ").filter(|line| line.contains(" = "));
        let bare = bare.filter(|line| !line.contains('/'));
        text.push_str(bare.unwrap_or(line));
        text.push('\n');
    }
    assert_ne!(checked(&["--config", &folder.write("all.toml", &text)]), checked(&[]));
}

#[test]
fn the_command_line_wins_over_the_file_and_the_file_over_the_defaults() {
    let folder = Folder::new();
    let file = folder.write(
        "config.toml",
        "listen = ['127.0.0.1:1', '[::1]:2']\nmax-clients = 5\nlog-addresses = true\n\
         handshake-timeout = '3s'\nallow-network = ['a', 'b']\n",
    );
    let settings = checked(&["--config", &file]);
    assert_eq!(settings["listen"], serde_json::json!(["127.0.0.1:1", "[::1]:2"]));
    assert_eq!(settings["max-clients"], 5);
    assert_eq!(settings["log-addresses"], true);
    assert_eq!(settings["max-handshakes"], checked(&[])["max-handshakes"]);
    let settings = checked(&[
        "--config",
        &file,
        "--max-clients=6",
        "--log-addresses=false",
        "--handshake-timeout",
        "4s",
        "--listen",
        "127.0.0.1:3",
        "--allow-network",
        "c",
    ]);
    assert_eq!(settings["listen"], serde_json::json!(["127.0.0.1:3"]));
    assert_eq!(settings["max-clients"], 6);
    assert_eq!(settings["log-addresses"], false);
    assert_eq!(settings["handshake-timeout"], "4s");
    assert_eq!(settings["allow-network"], serde_json::json!(["c"]));
}

#[test]
fn what_check_config_prints_is_a_configuration() {
    let folder = Folder::new();
    let args = ["--max-clients", "7", "--stun", "off", "--trusted-proxy", "10.0.0.0/8"];
    let printed = run(&[&args[..], &["--check-config"]].concat());
    let file = folder.write("printed.toml", text(&printed.stdout));
    assert_eq!(checked(&["--config", &file]), checked(&args));
}

/// As a shell's variable or a file of an environment hands them over.
#[test]
fn addresses_may_have_spaces_around_them_and_any_case() {
    let key = "tn1ta7ujrk0t90cud7kdk9d8hmc35438cz662ux2t2k9velg62979usf43ffa";
    let one = format!("WSS://one.example#{key}");
    let peers = format!("{one},\n ws://two.example:1#{key}\n");
    let args =
        ["--peer", &peers, "--public-url", " WS://here.example\n", "--known-as", "ws://a, WS://b"];
    let settings = checked(&args);
    let lower = format!("wss://one.example#{key}");
    assert_eq!(settings["peer"], serde_json::json!([lower, format!("ws://two.example:1#{key}")]));
    assert_eq!(settings["public-url"], "ws://here.example");
    assert_eq!(settings["known-as"], serde_json::json!(["ws://a", "ws://b"]));
    let folder = Folder::new();
    let file = folder.write("config.toml", &format!("peer = [' {one} ']\npublic-url = 'WS://x'\n"));
    assert_eq!(checked(&["--config", &file])["peer"], serde_json::json!([lower]));
}

#[test]
fn a_wrong_key_is_named_with_its_line() {
    let folder = Folder::new();
    let file = folder.write("config.toml", "# ours\nmax-clients = 5\nmax-cleints = 6\n");
    let told = complaint(&["--config", &file]);
    assert!(told.contains("config.toml") && told.contains("line 3"), "{told}");
    assert!(told.contains("unknown field `max-cleints`"), "{told}");
    let file = folder.write("config.toml", "max-clients = 5\nlisten = ['nowhere']\n");
    let told = complaint(&["--config", &file]);
    assert!(told.contains("line 2") && told.contains("listen"), "{told}");
}

#[test]
fn what_cannot_run_is_refused_with_a_reason() {
    let folder = Folder::new();
    let garbage = folder.write("garbage", "no certificate\n");
    let no_networks = folder.write("networks.toml", "allow-network = []\n");
    let no_members = folder.write("members.toml", "pool = true\nallow-member = []\n");
    // It would be half of itself: what it restricts at its end would not be restricted.
    let long = format!("{}\nallow-network = ['a']\n", "#".repeat(1 << 20));
    let endless = folder.write("endless.toml", &long);
    let missing = folder.path().join("missing").to_str().unwrap().to_owned();
    let cut = folder.write("cut", "192.0.2.0/24\n192.0.2");
    let blank = folder.write("blank", " \n");
    let long_line = folder.write("long-line", &"x".repeat(5000));
    let label = "ENCRYPTED PRIVATE KEY-----\n";
    let sealed = folder.write("sealed.key", &format!("-----BEGIN {label}AAAA\n-----END {label}"));
    for (args, reason) in [
        (vec!["--max-clients", "0"], "max-clients"),
        (vec!["--relay", "--max-relayed-links", "0"], "max-relayed-links"),
        (vec!["--relay", "--max-relayed-links-per-peer", "0"], "max-relayed-links-per-peer"),
        (vec!["--relay", "--max-relayed-links-per-peer", "300"], "max-relayed-links-per-peer"),
        (vec!["--relay", "--max-relayed-bytes", "1000"], "max-relayed-bytes"),
        (vec!["--max-relayed-bytes-per-peer", "0"], "max-relayed-bytes-per-peer"),
        (vec!["--max-clients", "many"], "max-clients"),
        (vec!["--ipv6-prefix", "129"], "ipv6-prefix"),
        (vec!["--handshake-timeout", "0s"], "handshake-timeout"),
        (vec!["--max-waiting-bytes", "100"], "max-waiting-bytes"),
        (vec!["--read-buffer", "0"], "read-buffer"),
        (vec!["--trusted-proxy", "10.0.0.0/33"], "192.0.2.0/24"),
        (vec!["--tls-cert", &garbage], "tls-key"),
        (vec!["--log", "signaller=loud=very"], "log"),
        (vec!["--config", &missing], "missing"),
        (vec!["--config", &no_networks], "allow-network: an empty list would admit no one"),
        (vec!["--config", &no_members], "allow-member: an empty list would admit no one"),
        (vec!["--config", &endless], "longer than"),
        (vec!["--pool", "--trusted-proxy", "127.0.0.1"], "--public-url"),
        (vec!["--pool", "--listen", "127.0.0.1:0", "--listen", "0.0.0.0:0"], "--public-url"),
        (vec!["--public-url", "wss://user:password@one.example"], "wss://HOST"),
        (vec!["--turn", "turn:h:0"], "port 1 to 65535"),
        (vec!["--turn", "turn:u@h"], "no user name"),
        (vec!["--turn", "turn:h?transport=sctp"], "?transport=udp"),
    ] {
        let told = complaint(&args);
        assert!(told.contains(reason), "{args:?}: {told}");
    }
    // Files are wrong usage to --check-config, and fail a start.
    for (args, reason) in [
        (vec!["--tls-cert", &garbage, "--tls-key", &garbage], "no certificate in PEM"),
        (vec!["--block", &garbage], "garbage, line 1"),
        (vec!["--block", &cut], "cut, line 2"),
        (vec!["--turn", "turn:a.example", "--turn-secret-file", &blank], "static-auth-secret"),
        (vec!["--turn", "turn:a.example", "--turn-secret-file", &long_line], "longer than"),
        (vec!["--tls-cert", &garbage, "--tls-key", &garbage], "in binary form (DER)?"),
        (vec!["--pool-ca", &garbage], "garbage: there is no certificate in it"),
        (vec!["--pool-ca", &sealed], "sealed.key: there is no certificate in it"),
        (vec!["--pool-ca", &blank], "blank: there is no certificate in it"),
        (vec!["--allow", &missing], "missing"),
        (vec!["--identity", &missing], "missing"),
    ] {
        let checked = run(&[&args[..], &["--check-config"]].concat());
        assert_eq!(checked.status.code(), Some(2), "{args:?}");
        assert!(text(&checked.stderr).contains(reason), "{}", text(&checked.stderr));
        assert_eq!(run(&args).status.code(), Some(1), "{args:?}");
    }
}

/// Where a signaller of a pool cannot know where it is, it says so.
#[test]
fn what_a_pool_would_be_told_wrongly_is_said() {
    let everywhere = ["--pool", "--listen", "0.0.0.0:7700", "--check-config"];
    let output = run(&everywhere);
    assert!(output.status.success() && text(&output.stderr).contains("--public-url"));
    let given = [&everywhere[..], &["--public-url", "wss://one.example"]].concat();
    assert_eq!(text(&run(&given).stderr), "");
    for args in [&["--pool"][..], &["--listen", "0.0.0.0:7700", "--trusted-proxy", "127.0.0.1"]] {
        assert_eq!(text(&run(&[args, &["--check-config"]].concat()).stderr), "", "{args:?}");
    }
}

#[test]
fn a_file_is_enough_to_run_it() {
    let folder = Folder::new();
    let file = folder.write("config.toml", "metrics = '127.0.0.1:0'\nmax-clients = 77\n");
    let program = Program::start(&["--config", &file]);
    assert_eq!(program.metric("connections_limit"), 77);
}

/// Keys are made with passphrases of any length; what is read of a file for one has an end.
#[test]
fn a_passphrase_is_one_line_of_bounded_length() {
    use taiinet_identity::{Identity, keyfile};
    let folder = Folder::new();
    let key = folder.path().join("signaller.key");
    let identity = Identity::generate(&mut rand_core::UnwrapErr(getrandom::SysRng));
    let passphrase =
        keyfile::Passphrase::new("correct horse").with_work_factor(keyfile::WorkFactor::MIN);
    keyfile::save(&key, &identity, Some(&passphrase), keyfile::Overwrite::Never).unwrap();
    let key = key.to_str().unwrap();

    let file = folder.write("passphrase", "correct horse\nanother line\n");
    let program = Program::start(&["--identity", key, "--passphrase-file", &file]);
    assert_eq!(program.peer_id(), identity.peer_id().to_string());
    drop(program);
    let long = folder.write("long", &"x".repeat(5000));
    let output = run(&["--identity", key, "--passphrase-file", &long]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("too long for a passphrase"), "{}", text(&output.stderr));
}

/// As editors on Windows leave them.
#[test]
fn files_may_begin_with_a_byte_order_mark_and_utf_16_is_named() {
    let folder = Folder::new();
    let marked = |name, text: &str| folder.write(name, &format!("\u{feff}{text}"));
    let block = marked("block", "192.0.2.0/24\n");
    let secret = marked("secret", "a secret\n");
    let config = marked(
        "all.toml",
        &format!(
            "max-clients = 7\nblock = {block:?}\nallow = {block:?}\nturn = [\"turn:192.0.2.1:3478\"]\nturn-secret-file = {secret:?}\n"
        ),
    );
    assert_eq!(checked(&["--config", &config])["max-clients"], 7);
    for (name, option) in [("16.toml", "--config"), ("16.txt", "--block"), ("16.pem", "--pool-ca")]
    {
        let file = folder.path().join(name);
        std::fs::write(&file, b"\xff\xfe#\0\n\0").unwrap();
        let file = file.to_str().unwrap();
        let output = run(&[option, file, "--check-config"]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        let wanted = format!("{file}: this is UTF-16; save it as UTF-8");
        assert!(said.contains(&wanted), "{said}");
    }
}
