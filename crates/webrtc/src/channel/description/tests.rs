use super::*;

const UDP: &str = "1 1 udp 2130706431 127.0.0.1 5000 typ host";
const TCP: &str = "1 1 tcp 2130706431 127.0.0.1 22 typ host tcptype passive";

fn description(more: &str) -> String {
    format!("v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n{more}")
}

fn admit(text: &str) -> Result<String, Refusal> {
    admit_description(text, &mut CANDIDATES.clone())
}

#[test]
fn one_data_channel_passes_unchanged() {
    let text = description("a=fingerprint:sha-256 AB:CD\r\na=setup:actpass\r\n");
    assert_eq!(admit(&text).as_deref(), Ok(text.as_str()));
}

#[test]
fn candidates_for_tcp_or_one_too_many_are_taken_out() {
    let text = description(&format!("a=candidate:{TCP}\r\na=candidate:{UDP}\r\n"));
    assert_eq!(admit(&text), Ok(description(&format!("a=candidate:{UDP}\r\n"))));

    let many = description(&format!("a=candidate:{UDP}\r\n").repeat(100));
    let admitted = admit(&many).expect("only the candidates are too many");
    assert_eq!(admitted.matches("a=candidate").count(), CANDIDATES);
}

#[test]
fn what_is_not_one_data_channel_is_refused() {
    assert_eq!(admit(""), Err(Refusal::NotOneChannel));
    assert_eq!(admit("v=0\r\n"), Err(Refusal::NotOneChannel));
    assert_eq!(admit(&description("m=audio 9 RTP 0\r\n")), Err(Refusal::NotOneChannel));
    assert_eq!(admit(&description("m=application 9 X y\r\n")), Err(Refusal::NotOneChannel));
    assert_eq!(admit(&description(&"a=x\r\n".repeat(5000))), Err(Refusal::TooLarge));
}

#[test]
fn fingerprints_cannot_be_read_in_two_ways() {
    for line in ["a=fingerprint:sha-512 AB", "A=Fingerprint:sha-256 AB", "a=fingerprint :sha-256 A"]
    {
        assert_eq!(
            admit(&description(&format!("{line}\r\n"))),
            Err(Refusal::Fingerprint),
            "{line}"
        );
    }
    let hidden = description("a=x\ra=fingerprint:sha-512 AB\r\n");
    assert_eq!(admit(&hidden), Err(Refusal::Control));
}

#[test]
fn candidates_are_admitted_by_kind_size_and_number() {
    let mut room = 2;
    assert!(admit_candidate(UDP, &mut room));
    assert!(admit_candidate(&format!("candidate:{UDP}"), &mut room));
    assert!(!admit_candidate(UDP, &mut room), "no room left");
    for refused in ["", "candidate:", "junk", TCP, &"x ".repeat(400), &format!("{UDP}\n{UDP}")] {
        assert!(!admit_candidate(refused, &mut 1), "{refused}");
    }
    let hidden = "1 1 udp 2113937151 0a1b2c3d-0000-4000-8000-000000000000.local 5000 typ host";
    assert!(admit_candidate(hidden, &mut 1), "browsers hide their addresses behind mDNS names");
}

#[test]
fn only_servers_of_sane_form_size_and_number_are_used() {
    let named = ["turn:127.0.0.1:1", "stun:127.0.0.1:3478", "stun:", "junk", "stun:[::1]:3478"]
        .map(IceServer::stun);
    let urls: Vec<_> =
        admit_ice_servers(&named).into_iter().flat_map(|server| server.urls).collect();
    assert_eq!(urls, ["turn:127.0.0.1:1", "stun:127.0.0.1:3478", "stun:[::1]:3478"]);
    assert!(admit_ice_servers(&[IceServer::stun(format!("stun:{}", "a".repeat(300)))]).is_empty());
    let many = admit_ice_servers(&vec![named[1].clone(); 50]);
    assert_eq!(many.len(), 2 * limits::ICE_SERVERS);
}
