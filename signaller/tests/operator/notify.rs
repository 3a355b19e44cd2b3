//! What a service manager is told (sd_notify(3)), by sockets of the test's own.

use std::{os::unix::net::UnixDatagram, process::Stdio, time::Duration};

use crate::program::{DEADLINE, Folder, Program, command};

/// What a service manager hears.
struct Manager(UnixDatagram);

impl Manager {
    fn at(path: &str) -> Self {
        Self::of(UnixDatagram::bind(path).unwrap())
    }

    fn of(socket: UnixDatagram) -> Self {
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Self(socket)
    }

    /// The next that is not merely that all is well.
    fn hears(&self) -> Vec<String> {
        loop {
            let mut message = [0; 4096];
            let length = self.0.recv(&mut message).expect("it is told in time");
            let text = std::str::from_utf8(&message[..length]).unwrap();
            if text != "WATCHDOG=1" {
                return text.lines().map(ToOwned::to_owned).collect();
            }
        }
    }
}

fn start(socket: &str, args: &[&str], variables: &[(&str, &str)]) -> Program {
    let mut command = command(&["--listen", "127.0.0.1:0", "--json"]);
    command.args(args).env("NOTIFY_SOCKET", socket).envs(variables.iter().copied());
    command.stderr(Stdio::null());
    Program::spawn(command)
}

#[test]
fn a_service_manager_is_told_when_it_is_ready_reloads_and_stops() {
    let folder = Folder::new();
    let path = folder.path().join("notify").to_str().unwrap().to_owned();
    let manager = Manager::at(&path);
    let config = folder.write("config.toml", "max-clients = 5\n");
    let mut program = start(&path, &["--config", &config], &[]);
    assert_eq!(manager.hears(), ["READY=1", "STATUS=listening"]);

    program.signal("HUP");
    let reloading = manager.hears();
    assert_eq!(reloading[0], "RELOADING=1");
    let micros = reloading[1].strip_prefix("MONOTONIC_USEC=").unwrap();
    assert!(micros.parse::<u64>().unwrap() > 0);
    assert_eq!(manager.hears(), ["READY=1", "STATUS=reloaded"]);

    // It serves on, so it is ready again, and says what was wrong.
    folder.write("config.toml", "max-clients = 'many'\n");
    program.signal("HUP");
    assert_eq!(manager.hears()[0], "RELOADING=1");
    let told = manager.hears();
    assert_eq!(told[0], "READY=1");
    assert!(
        told[1].starts_with("STATUS=not reloaded: ") && told[1].contains("config.toml"),
        "{told:?}"
    );

    program.signal("TERM");
    assert_eq!(manager.hears()[0], "STOPPING=1");
    assert!(program.ends().success());
}

#[cfg(target_os = "linux")]
#[test]
fn a_socket_without_a_file_is_told_too() {
    use std::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};
    let name = format!("taiinet-signaller-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let manager = Manager::of(UnixDatagram::bind_addr(&address).unwrap());
    let _program = start(&format!("@{name}"), &[], &[]);
    assert_eq!(manager.hears()[0], "READY=1");
}

#[test]
fn a_watchdog_is_told_that_all_is_well_and_another_process_s_is_not() {
    let folder = Folder::new();
    let path = folder.path().join("notify").to_str().unwrap().to_owned();
    let manager = Manager::at(&path);
    let program = start(&path, &[], &[("WATCHDOG_USEC", "200000")]);
    let mut message = [0; 64];
    let mut said = 0;
    while said < 3 {
        let length = manager.0.recv(&mut message).expect("again and again");
        said += usize::from(&message[..length] == b"WATCHDOG=1");
    }
    drop(program);
    // What it had said before it was killed.
    manager.0.set_nonblocking(true).unwrap();
    while manager.0.recv(&mut message).is_ok() {}
    manager.0.set_nonblocking(false).unwrap();

    let _other = start(&path, &[], &[("WATCHDOG_USEC", "2000"), ("WATCHDOG_PID", "1")]);
    assert_eq!(manager.hears()[0], "READY=1");
    manager.0.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(manager.0.recv(&mut message).is_err(), "nothing is said to a watchdog of another");
}

/// It serves all the same.
#[test]
fn a_service_manager_that_is_not_there_is_no_fault() {
    let folder = Folder::new();
    let gone = folder.path().join("gone").to_str().unwrap().to_owned();
    for socket in [&*gone, "nonsense", "vsock:2:1", ""] {
        let mut program = start(socket, &[], &[]);
        program.signal("TERM");
        assert!(program.ends().success(), "{socket}");
    }
}
