//! Requests for a WebSocket, and how one ends (RFC 6455, sections 4.2, 5.5.1 and 7.1): with sockets and bytes,
//! since a library would mend what is wrong.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use crate::program::{DEADLINE, Folder, Program, get};

/// A request's lines besides those that are always the same.
const USUAL: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
const KEY: &str = "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n";

/// A WebSocket by hand.
struct Raw(TcpStream);

/// What came in, in the end.
#[derive(Debug, PartialEq, Eq)]
struct Goodbye {
    /// The code of the Close frame; 1005 stands for one without.
    code: u16,
    /// What was sent before it.
    frames: usize,
}

impl Raw {
    fn open(address: SocketAddr, path: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\n{USUAL}{KEY}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let head = head(&mut stream);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        Self(stream)
    }

    /// Sends these bytes; then what the other end says until it closes the connection.
    fn goodbye(mut self, bytes: &[u8]) -> Goodbye {
        // It may have closed before it has read all.
        let _ = self.0.write_all(bytes);
        self.end()
    }

    fn end(&mut self) -> Goodbye {
        let mut all = Vec::new();
        self.0.read_to_end(&mut all).expect("an end, and no reset");
        let (mut rest, mut frames) = (&all[..], 0);
        loop {
            let [first, length, after @ ..] = rest else { panic!("no Close frame: {all:?}") };
            let (length, payload) = match length {
                126 => (usize::from(u16::from_be_bytes([after[0], after[1]])), &after[2..]),
                length => (usize::from(*length), after),
            };
            let (payload, after) = payload.split_at(length);
            if *first == 0x88 {
                assert!(after.is_empty(), "nothing follows a Close frame: {after:?}");
                let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                return Goodbye { code, frames };
            }
            frames += 1;
            rest = after;
        }
    }
}

/// A frame of a client, with a mask that changes nothing.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[first, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

/// The head of an answer, and nothing that follows it.
fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}

fn status(address: SocketAddr, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: test\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = head(&mut stream);
    let status = answer[9..12].parse().unwrap();
    // A WebSocket stays open.
    if status != 101 {
        stream.read_to_string(&mut answer).unwrap();
    }
    (status, answer.to_lowercase())
}

#[test]
fn a_request_for_a_websocket_is_taken_however_its_lists_are_written() {
    let program = Program::start(&[]);
    let version = "Sec-WebSocket-Version: 13\r\n";
    for lines in [
        "Upgrade: websocket\r\nConnection: keep-alive\r\nConnection: Upgrade\r\n",
        "Upgrade: websocket\r\nConnection: Upgrade\r\nConnection: keep-alive\r\n",
        "Upgrade: h2c, websocket\r\nConnection: Upgrade\r\n",
        "Upgrade: h2c\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        "UPGRADE: WebSocket\r\nconnection: keep-alive , UPGRADE\r\n",
        "Upgrade:websocket,\r\nConnection:,upgrade\r\n",
    ] {
        let (status, answer) = status(program.address(), &format!("{lines}{version}{KEY}"));
        assert_eq!(status, 101, "{lines}");
        assert!(answer.contains("sec-websocket-accept: "), "{answer}");
    }
}

#[test]
fn a_request_that_is_none_is_told_what_is_wrong() {
    let program = Program::start(&[]);
    let status = |lines: &str| status(program.address(), lines);
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
    for version in ["8", "0", "14", "13, 8", "013"] {
        let (status, answer) =
            status(&format!("{upgrade}Sec-WebSocket-Version: {version}\r\n{KEY}"));
        assert_eq!(status, 426, "{version}");
        assert!(answer.contains("\r\nsec-websocket-version: 13\r\n"), "{answer}");
        assert!(answer.contains("\r\nupgrade: websocket\r\n"), "{answer}");
    }
    assert_eq!(status(&format!("{upgrade}{KEY}")).0, 426, "no version");
    for key in ["", "Sec-WebSocket-Key: short\r\n"] {
        assert_eq!(status(&format!("{USUAL}{key}")).0, 400, "{key}");
    }
    let version = "Sec-WebSocket-Version: 13\r\n";
    let (code, answer) = status(&format!("Upgrade: websocket\r\n{version}{KEY}"));
    assert_eq!(code, 400);
    assert!(answer.contains("a proxy in between"), "{answer}");
    for other in ["", "Connection: Upgrade\r\n", "Upgrade: h2c\r\nConnection: Upgrade\r\n"] {
        let (code, answer) = status(other);
        assert_eq!(code, 200, "{other}");
        assert!(answer.contains("this is a taiinet signaller"), "{answer}");
    }
}

#[test]
fn a_goodbye_is_answered_with_its_code_before_a_join_too() {
    let program = Program::start(&["--pool", "--public-url", "ws://one.example"]);
    for path in ["/", "/pool"] {
        for (payload, code) in [
            (&[][..], 1005),
            (&[0x03, 0xe8], 1000),
            (&[0x03, 0xe9, b'b', b'y', b'e'], 1001),
            (&[0x10, 0xe1], 4321),
            // Codes that no frame may have (section 7.4.2).
            (&[0x03, 0xed], 1002),
            (&[0x00, 0x01], 1002),
        ] {
            let goodbye = Raw::open(program.address(), path).goodbye(&frame(0x88, payload)).code;
            assert_eq!(goodbye, code, "{path} {payload:?}");
        }
    }
}

#[test]
fn what_breaks_the_protocol_is_told_by_its_code() {
    let program = Program::start(&["--pool", "--public-url", "ws://one.example"]);
    let long = [&[0x82, 0xff][..], &(1_u64 << 40).to_be_bytes(), &[0; 4]].concat();
    for path in ["/", "/pool"] {
        for (bytes, code) in [
            (vec![0x82, 1, 7], 1002),
            (frame(0xc2, b"reserved bit"), 1002),
            (frame(0x83, b"reserved opcode"), 1002),
            (frame(0x8b, b"reserved control"), 1002),
            (frame(0x09, b"a ping in pieces"), 1002),
            (frame(0x80, b"the rest of nothing"), 1002),
            ([frame(0x02, b"begun"), frame(0x82, b"and another")].concat(), 1002),
            (frame(0x88, &[3]), 1002),
            (frame(0x81, &[0xff]), 1007),
            (frame(0x88, &[0x03, 0xe8, 0xff]), 1007),
            (long.clone(), 1009),
            (frame(0x81, b"text"), 1003),
        ] {
            let goodbye = Raw::open(program.address(), path).goodbye(&bytes).code;
            assert_eq!(goodbye, code, "{path} {bytes:?}");
        }
    }
    // Binary, but nothing that begins a session: refused in words first.
    let goodbye = Raw::open(program.address(), "/").goodbye(&frame(0x82, b"hello"));
    assert_eq!(goodbye, Goodbye { code: 1003, frames: 1 });
}

#[test]
fn who_sends_frames_without_end_is_told_that_it_breaks_a_policy() {
    let program = Program::start(&[]);
    let pings = frame(0x89, b"").repeat(20_000);
    assert_eq!(Raw::open(program.address(), "/").goodbye(&pings).code, 1008);
}

#[test]
fn an_address_that_a_new_list_blocks_is_told_that_it_breaks_a_policy() {
    let folder = Folder::new();
    let block = folder.write("block", "");
    let program =
        Program::start(&["--block", &block, "--pool", "--public-url", "ws://one.example"]);
    let mut cut = ["/", "/pool"].map(|path| Raw::open(program.address(), path));
    folder.write("block", "127.0.0.0/8\n");
    program.signal("HUP");
    for raw in &mut cut {
        assert_eq!(raw.end().code, 1008);
    }
}

#[test]
fn a_signaller_that_stops_says_that_it_goes_away() {
    let mut program = Program::start(&["--pool", "--public-url", "ws://one.example"]);
    let mut left = ["/", "/pool"].map(|path| Raw::open(program.address(), path));
    assert!(get(program.address(), "/healthz", "").ends_with("ok\n"), "both are taken in by now");
    program.signal("TERM");
    for raw in &mut left {
        assert_eq!(raw.end().code, 1001);
    }
    assert!(program.ends().success());
}
