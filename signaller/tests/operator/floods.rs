//! Floods of WebSocket frames that no peer would send.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use crate::{
    client::Client,
    program::{DEADLINE, Program},
};

const BINARY: u8 = 0x82;
const TEXT: u8 = 0x81;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
const FIRST_FRAGMENT: u8 = 0x02;
const FRAGMENT: u8 = 0x00;

/// A frame as a client sends it, with a mask of zeros.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    assert!(length < 126);
    [&[opcode, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

fn start(args: &[&str]) -> Program {
    Program::start(&[&["--metrics", "127.0.0.1:0"], args].concat())
}

/// A WebSocket of which nothing is read.
fn upgraded(program: &Program, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(program.address()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"), "{answer:?}");
    stream
}

/// Whether so many of these frames end the connection.
fn ends_it(stream: &mut TcpStream, frame: &[u8], count: usize) -> bool {
    let frames = frame.repeat(100);
    for _ in 0..count / 100 {
        if stream.write_all(&frames).is_err() {
            return true;
        }
    }
    // Pongs may come before the end.
    let mut answers = [0; 4096];
    loop {
        match stream.read(&mut answers) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

/// The frames are few enough that no connection is ended for its silence before they are all read.
#[tokio::test]
async fn frames_without_end_end_the_connection_and_are_counted() {
    let program = start(&["--pool"]);
    let mut honest = Client::joined(program.address(), "test").await;
    let kinds = [
        ("/", frame(PING, b"")),
        ("/", frame(PING, &[7; 125])),
        ("/", frame(PONG, b"")),
        ("/", [frame(TEXT, b"")].concat()),
        ("/pool", frame(PING, b"")),
        ("/pool", frame(PONG, b"")),
    ];
    let mut floods = 0;
    for (path, frame) in &kinds {
        let mut stream = upgraded(&program, path);
        assert!(ends_it(&mut stream, frame, 4000), "{path} {frame:?}");
        floods += 1;
        if frame.first() != Some(&TEXT) {
            program.metric_is("websocket_floods_total", floods);
        } else {
            // The desk may have refused what is no frame of ours before the flood was over.
            floods = program.metric("websocket_floods_total");
        }
    }
    assert!(program.metric("received_frames_total") > 5 * 800);
    assert!(honest.is_served().await);
}

/// They never become a message, so only the scanner of frames sees them.
#[tokio::test]
async fn empty_fragments_without_end_end_the_connection() {
    let program = start(&["--pool"]);
    for (index, path) in ["/", "/pool"].into_iter().enumerate() {
        let mut stream = upgraded(&program, path);
        stream.write_all(&frame(FIRST_FRAGMENT, b"")).unwrap();
        assert!(ends_it(&mut stream, &frame(FRAGMENT, b""), 4000), "{path}");
        program.metric_is("websocket_floods_total", index as u64 + 1);
    }
}

/// A burst of the size that a connection may send by itself, from many connections of one address.
#[tokio::test]
async fn an_address_that_floods_by_many_connections_costs_them_and_not_a_quiet_neighbour() {
    let program = start(&[]);
    let mut quiet = Client::joined(program.address(), "test").await;
    let burst = frame(PING, b"").repeat(790);
    let mut streams: Vec<_> = (0..60).map(|_| upgraded(&program, "/")).collect();
    for stream in &mut streams {
        stream.write_all(&burst).unwrap();
    }
    crate::program::eventually("some are closed", || {
        (program.metric("websocket_floods_total") >= 5).then_some(())
    });
    assert!(quiet.is_served().await);
    assert!(frame(BINARY, b"x").len() == 7, "frames are as short as they can be");
}
