//! A log or an output that cannot be written: full, or without a reader.

use std::{
    fs::File,
    io::{Read, pipe},
    process::Stdio,
};

use crate::{
    client::Client,
    program::{Program, command, eventually, send_signal},
};

/// The device that is always full.
fn full() -> Stdio {
    File::options().write(true).open("/dev/full").expect("Linux has it").into()
}

/// What nobody reads any more.
fn dead() -> Stdio {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

#[tokio::test]
async fn a_log_that_cannot_be_written_decides_nothing() {
    for level in ["trace", "debug", "info", "warn"] {
        for stderr in [full, dead] {
            let mut program =
                Program::start_logging_to(stderr(), &["--log", level, "--metrics", "127.0.0.1:0"]);
            let mut one = Client::joined(program.address(), "test").await;
            let _two = Client::joined(program.address(), "test").await;
            assert!(one.is_served().await, "{level}");
            program.metric_is("connections", 2);
            program.signal("HUP");
            program.metric_is("reloads_total{result=\"ok\"}", 1);
            program.signal("TERM");
            assert_eq!(program.ends().code(), Some(0), "{level}");
        }
    }
}

/// Those who know where it listens are served, whether or not that could be said.
#[test]
fn where_it_listens_is_said_if_it_can_be() {
    for stdout in [full(), dead()] {
        let (mut log, stderr) = pipe().expect("a pipe");
        let mut command = command(&["--listen", "127.0.0.1:0", "--log", "info"]);
        let mut child = command.stdout(stdout).stderr(stderr).spawn().expect("it runs");
        // Its copy of our end would keep the log open.
        drop(command);
        let mut said = String::new();
        let mut buffer = [0; 4096];
        while !said.contains("listening") {
            let read = log.read(&mut buffer).expect("a log");
            assert_ne!(read, 0, "it ended: {said}");
            said += &String::from_utf8_lossy(&buffer[..read]);
        }
        assert!(!said.contains("panicked"), "{said}");
        send_signal("TERM", &child);
        let status = eventually("it ends", || child.try_wait().expect("a child"));
        assert_eq!(status.code(), Some(0), "{said}");
    }
}

#[test]
fn results_and_errors_that_cannot_be_written_are_no_panic() {
    let code = |args: &[&str], stdout, stderr| {
        let mut command = command(args);
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        command.status().expect("it runs").code()
    };
    for args in [&["--help"][..], &["--version"], &["--check-config"], &["--completions", "bash"]] {
        assert_eq!(code(args, full(), full()), Some(1), "{args:?}");
        assert_eq!(code(args, dead(), full()), Some(0), "{args:?}");
        assert_eq!(code(args, Stdio::null(), full()), Some(0), "{args:?}");
    }
    for args in [&["--nonsense"][..], &["--config", "absent"], &["--max-clients", "0"]] {
        assert_eq!(code(args, Stdio::null(), full()), Some(2), "{args:?}");
        assert_eq!(code(args, Stdio::null(), dead()), Some(2), "{args:?}");
    }
}
