//! A signaller behind Debian's nginx, set up as the manual says.

use std::{net::TcpListener, process::Command};

use serde_json::json;
use taiinet_tests::{Mesh, Process, Signaller, eventually};

/// What the operator's manual has nginx do, for a signaller at `address`.
fn recipe(address: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../signaller/OPERATING.md");
    let manual = std::fs::read_to_string(path).expect("the manual");
    let (_, rest) = manual.split_once("```nginx\n").expect("a recipe for nginx");
    let (block, _) = rest.split_once("```").expect("its end");
    assert!(block.contains("http://127.0.0.1:7700"), "{block}");
    block.replace("127.0.0.1:7700", address)
}

#[test]
fn the_manuals_recipe_for_nginx_serves_peers_with_each_version_of_tls_and_by_its_defaults() {
    let signaller = Signaller::start_at("127.0.0.1:0", &["--trusted-proxy", "127.0.0.1"]);
    let folder = tempfile::tempdir().expect("a folder");
    let key = rcgen::KeyPair::generate().expect("a key");
    let names = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let certificate = names.self_signed(&key).expect("a certificate");
    let file = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(file("cert.pem"), certificate.pem()).expect("written");
    std::fs::write(file("key.pem"), key.serialize_pem()).expect("written");
    let root = folder.path().display();
    // nginx before 1.23 speaks 1.2 and older by its defaults.
    for protocols in ["", "ssl_protocols TLSv1.2;", "ssl_protocols TLSv1.3;"] {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let port = free.expect("a port").port();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {root}/{kind};\n"))
            .concat();
        let config = format!(
            "daemon off; master_process off; pid {root}/pid; error_log stderr;\n\
             events {{}}\n\
             http {{ access_log off;\n{temporary}\
             server {{ listen 127.0.0.1:{port} ssl; {protocols}\n\
             ssl_certificate {root}/cert.pem; ssl_certificate_key {root}/key.pem;\n\
             {}}} }}\n",
            recipe(signaller.address())
        );
        std::fs::write(file("nginx.conf"), config).expect("written");
        let mut command = Command::new("nginx");
        command.args(["-p", &folder.path().display().to_string(), "-c", &file("nginx.conf")]);
        // Where an ordinary user has no path to it.
        command.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()));
        let mut proxy = Process::start("nginx (sudo apt-get install nginx)", &mut command);
        eventually("nginx listens", || {
            assert!(proxy.is_running(), "{}", proxy.stderr().join("\n"));
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        let mesh = Mesh::by(&[&format!("wss://localhost:{port}#{}", signaller.key())]);
        let trusts = ["--ca-file", &file("cert.pem")];
        let subscriber = mesh.subscribe_with("subscriber", "{}", &trusts);
        let mut publisher =
            mesh.run("publisher", &[&["publish", "--report"][..], &trusts].concat());
        publisher.publish(&json!({ "through": protocols }));
        subscriber.receives_document(&json!({ "through": protocols }));
        proxy.kill();
    }
}
