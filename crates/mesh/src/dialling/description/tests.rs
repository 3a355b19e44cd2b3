use proptest::prelude::*;

use super::*;

const UDP: &str = "1 1 udp 2130706431 127.0.0.1 5000 typ host";
const TCP: &str = "1 1 tcp 2130706431 127.0.0.1 22 typ host tcptype passive";

fn description(more: &str) -> String {
    format!("v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n{more}")
}

fn admit(text: &str) -> Result<String, DescriptionError> {
    Admission::default().description(text)
}

fn admit_candidate(text: &str) -> Result<(), CandidateError> {
    Admission::default().candidate(text)
}

#[test]
fn one_data_channel_passes_unchanged() {
    let text = description("a=fingerprint:sha-256 AB:CD\r\na=setup:actpass\r\n");
    assert_eq!(admit(&text).as_deref(), Ok(text.as_str()));
    // Lines may end without the carriage return.
    assert_eq!(admit(&text.replace('\r', "")).as_deref(), Ok(text.as_str()));
}

#[test]
fn descriptions_as_browsers_write_them_pass_unchanged() {
    for text in [include_str!("chromium.sdp"), include_str!("firefox.sdp")] {
        let text = text.replace('\n', "\r\n");
        assert_eq!(admit(&text).as_deref(), Ok(text.as_str()));
    }
}

#[test]
fn a_stream_of_sound_or_pictures_is_refused_wherever_it_stands() {
    for media in [
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n",
    ] {
        let channel = description("");
        for text in [format!("{channel}{media}"), format!("{media}{channel}")] {
            assert_eq!(admit(&text), Err(DescriptionError::NotOneChannel), "{text}");
        }
    }
    for media in [
        "application 9 X y",
        "application 9 UDP/TLS/RTP/SAVPF 96",
        "application 9 UDP/DTLS/SCTP webrtc-datachannel 96",
        "application 99999 UDP/DTLS/SCTP webrtc-datachannel",
        "application  9 UDP/DTLS/SCTP webrtc-datachannel",
        "Application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "",
    ] {
        let text = format!("v=0\r\nm={media}\r\n");
        assert_eq!(admit(&text), Err(DescriptionError::NotOneChannel), "{text}");
    }
    assert_eq!(admit(""), Err(DescriptionError::NotOneChannel));
    assert_eq!(admit("v=0\r\n"), Err(DescriptionError::NotOneChannel));
}

#[test]
fn what_parsers_may_read_differently_is_refused() {
    use DescriptionError::{NotALine, NotPrintable, TooLarge};
    for (line, error) in [
        (" m=audio 9 RTP 0", NotALine),
        ("M=audio 9 RTP 0", NotALine),
        ("m =audio 9 RTP 0", NotALine),
        ("mm=audio", NotALine),
        ("=", NotALine),
        ("", NotALine),
        ("a=x\rm=audio 9 RTP 0", NotPrintable),
        ("a=x\u{2028}m=audio 9 RTP 0", NotPrintable),
        ("s=\u{202e}", NotPrintable),
        ("a=x\tx", NotPrintable),
        ("a=x\0", NotPrintable),
    ] {
        assert_eq!(admit(&description(&format!("{line}\r\n"))), Err(error), "{line:?}");
    }
    let full = description(&"a".repeat(NEGOTIATION_BYTES)).replace("aa", "a=");
    assert_eq!(admit(&full), Err(TooLarge));
    let room = NEGOTIATION_BYTES - description("a=\r\n").len();
    assert!(admit(&description(&format!("a={}\r\n", "x".repeat(room)))).is_ok());
}

#[test]
fn candidates_for_tcp_or_one_too_many_are_taken_out() {
    let text = description(&format!("a=candidate:{TCP}\r\na=candidate:{UDP}\r\n"));
    assert_eq!(admit(&text), Ok(description(&format!("a=candidate:{UDP}\r\n"))));

    let mut admission = Admission::default();
    let many = description(&format!("a=candidate:{UDP}\r\n").repeat(100));
    let admitted = admission.description(&many).expect("only the candidates are too many");
    assert_eq!(admitted.matches("a=candidate").count(), CANDIDATES);
    assert_eq!(admission.candidate(UDP), Err(CandidateError::TooMany), "it counts both");

    for name in ["Candidate", "candidate ", "CANDIDATE", "remote-candidates"] {
        assert_eq!(admit(&description(&format!("a={name}:{UDP}\r\n"))), Ok(description("")));
    }
}

#[test]
fn fingerprints_cannot_be_read_in_two_ways() {
    for line in [
        "a=fingerprint:sha-512 AB",
        "a=Fingerprint:sha-256 AB",
        "a=fingerprint :sha-256 A",
        "a=fingerprint:sha-256",
        "a=fingerprint: sha-256 AB",
        "a=fingerprint",
    ] {
        let text = description(&format!("{line}\r\n"));
        assert_eq!(admit(&text), Err(DescriptionError::Fingerprint), "{line}");
    }
}

#[test]
fn candidates_are_admitted_by_kind_size_and_number() {
    use CandidateError::{NotAnAddress, NotPrintable, NotUdp, NotUnderstood, TooLarge, TooMany};
    let mut admission = Admission::default();
    for _ in 0..CANDIDATES / 2 {
        assert_eq!(admission.candidate(TCP), Err(NotUdp), "which takes no room");
        assert_eq!(admission.candidate(UDP), Ok(()));
        assert_eq!(admission.candidate(&format!("candidate:{UDP}")), Ok(()));
    }
    assert_eq!(admission.candidate(UDP), Err(TooMany));

    for text in [
        // As browsers write them, which hide their addresses behind mDNS names.
        "1 1 udp 2113937151 0a1b2c3d-0000-4000-8000-000000000000.local 5000 typ host",
        "842163049 1 udp 1677729535 192.0.2.1 46154 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag \
         EsAw network-cost 999",
        "0 1 UDP 2122252543 2001:db8::1 50000 typ host",
        "1 1 udp 1 192.0.2.1 5000 typ relay raddr 198.51.100.1 rport 5001",
        "1 1 udp 1 192.0.2.1 5000 typ prflx",
    ] {
        assert_eq!(admit_candidate(text), Ok(()), "{text}");
    }
    for (text, error) in [
        ("", NotUnderstood),
        ("candidate:", NotUnderstood),
        ("junk", NotUnderstood),
        ("1 1 udp 1 127.0.0.1 5000 typ", NotUnderstood),
        ("1 1 udp 1 127.0.0.1 5000 typ other", NotUnderstood),
        ("1 1 udp 1 127.0.0.1 5000 kind host", NotUnderstood),
        ("1 1 udp 99999999999 127.0.0.1 5000 typ host", NotUnderstood),
        ("1 1 udp +1 127.0.0.1 5000 typ host", NotUnderstood),
        ("1 1 udp 1 127.0.0.1 0 typ host", NotUnderstood),
        ("1 1 udp 1 127.0.0.1 65536 typ host", NotUnderstood),
        ("1 2 udp 1 127.0.0.1 5000 typ host", NotUnderstood),
        ("1 1  udp 1 127.0.0.1 5000 typ host", NotUdp),
        ("1 1 udp  1 127.0.0.1 5000 typ host", NotUnderstood),
        ("1 1 udp 1 127.0.0.1 5000 typ host ", NotUnderstood),
        ("1 1 udp 1 127.0.0.1 5000 typ srflx raddr", NotUnderstood),
        ("1 1 udp 1 127.0.0.1 5000 typ srflx raddr ::1", NotUnderstood),
        ("1 1 udp 1 127.0.0.1 5000 typ srflx raddr ::1 x y", NotUnderstood),
        ("1 1 udp 1 127.0.0.1 5000 typ srflx x y raddr ::1 rport 1", NotUnderstood),
        ("1 1 udp 1 127.0.0.1 5000 typ srflx raddr evil.example rport 1", NotUnderstood),
        ("1 1 udp 1 127.0.0.1 5000 typ host tcptype active", NotUnderstood),
        ("1 1 udp 1 256.256.256.256 5000 typ host", NotAnAddress),
        ("1 1 udp 1 evil.example 5000 typ host", NotAnAddress),
        ("1 1 udp 1 a.local 5000 typ srflx", NotAnAddress),
        ("1 1 udp 1 a.evil.local 5000 typ host", NotAnAddress),
        ("1 1 udp 1 .local 5000 typ host", NotAnAddress),
        ("1 1 udp 1 fe80::1%eth0 5000 typ host", NotAnAddress),
        ("1 1 udp 1 127.0.0.1 5000 typ host\n", NotPrintable),
        ("1 1 udp 1 127.0.0.1\t5000 typ host", NotPrintable),
        ("\u{661} 1 udp 1 127.0.0.1 5000 typ host", NotPrintable),
    ] {
        assert_eq!(admit_candidate(text), Err(error), "{text:?}");
    }
    let long = format!("{UDP} x {}", "x".repeat(CANDIDATE_BYTES - UDP.len() - 3));
    assert_eq!(admit_candidate(&long), Ok(()));
    assert_eq!(admit_candidate(&format!("{long}x")), Err(TooLarge));
}

proptest! {
    #[test]
    fn whatever_comes_nothing_but_one_channel_gets_through(
        lines in proptest::collection::vec(
            prop_oneof![
                Just(format!("a=candidate:{UDP}")),
                Just(format!("a=candidate:{TCP}")),
                Just("m=application 9 UDP/DTLS/SCTP webrtc-datachannel".to_owned()),
                Just("m=video 9 UDP/TLS/RTP/SAVPF 96".to_owned()),
                Just("a=fingerprint:sha-256 AB".to_owned()),
                "[a-z]=[ -~]{0,20}",
                "[ -~]{0,4}m=.{0,20}",
            ],
            0..60,
        ),
        end in prop_oneof![Just("\r\n"), Just("\n"), Just("\r")],
        alone in 0_usize..40,
    ) {
        let mut admission = Admission::default();
        let Ok(admitted) = admission.description(&lines.join(end)) else { return Ok(()) };
        let starts = |start: &str| admitted.split("\r\n").filter(|line| line.starts_with(start)).count();
        prop_assert_eq!(starts("m="), 1);
        prop_assert_eq!(starts("m=application "), 1);
        prop_assert_eq!(admitted.matches('\n').count(), admitted.matches("\r\n").count());
        prop_assert!(admitted.bytes().all(|byte| matches!(byte, b'\r' | b'\n' | b' '..=b'~')));
        prop_assert_eq!(admit(&admitted), Ok(admitted.clone()), "what was let in is let in again");
        let more = (0..alone).filter(|_| admission.candidate(UDP).is_ok()).count();
        prop_assert!(starts("a=candidate:") + more <= CANDIDATES);
    }

    #[test]
    fn no_text_is_a_panic(text in ".{0,200}") {
        let _ = admit(&text);
        let _ = admit_candidate(&text);
    }
}
