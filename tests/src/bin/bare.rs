//! For the benchmark: a bare WebRTC channel that sends the messages in which our peers would send so
//! many documents, with no core at either end.
//!
//! `bare DOCUMENTS BYTES` offers a link on stdout and takes the answer on stdin, as lines of JSON:
//! `{"description": …}`, `{"candidate": …}`. It prints `{"ready": messages}` once the link is open
//! and sends when it reads `"go"`.

use std::{
    net::IpAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use taiinet_identity::{Identity, Seed};
use taiinet_mesh::{
    Dial, Input, LinkId, Negotiation, limits,
    wire::{
        DocumentFrame, Frame, Push,
        codec::{self, MessageWriter},
    },
};
use taiinet_sim::forge;
use taiinet_webrtc::{LinkInputs, Links, WebRtc, WebRtcConfig};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

const LINK: LinkId = LinkId::from_raw(1);

#[tokio::main]
async fn main() -> Result<(), String> {
    let numbers: Vec<usize> = std::env::args().skip(1).flat_map(|arg| arg.parse()).collect();
    let [documents, bytes] = numbers[..] else {
        return Err("usage: bare DOCUMENTS BYTES".to_owned());
    };
    let messages = messages(documents, bytes);
    let identity = Identity::from_seed(&Seed::from_bytes([7; 32]));
    let config =
        WebRtcConfig { bind: vec![IpAddr::from([127, 0, 0, 1])], ..WebRtcConfig::default() };
    let (mut links, mut inputs) = Links::new(WebRtc::new(config));
    links.dial(LINK, Dial::Offer { to: identity.peer_id(), ice_servers: Vec::new() });
    let mut lines = BufReader::new(stdin()).lines();
    loop {
        tokio::select! {
            input = inputs.recv() => match input {
                Some(Input::Negotiation { part: Negotiation::Description(text), .. }) => {
                    println!("{}", json!({ "description": text }));
                }
                Some(Input::Negotiation { part: Negotiation::Candidate(text), .. }) => {
                    println!("{}", json!({ "candidate": text }));
                }
                Some(Input::LinkUp { .. }) => println!("{}", json!({ "ready": messages.len() })),
                Some(Input::LinkDown { cause, .. }) => return Err(cause.to_string()),
                Some(_) => {}
                None => return Err("the transport is gone".to_owned()),
            },
            line = lines.next_line() => {
                let Ok(Some(line)) = line else { break };
                let said: Value = serde_json::from_str(&line).map_err(|error| error.to_string())?;
                if let Some(text) = said["description"].as_str() {
                    links.negotiate(LINK, Negotiation::Description(text.to_owned()));
                } else if let Some(text) = said["candidate"].as_str() {
                    links.negotiate(LINK, Negotiation::Candidate(text.to_owned()));
                } else if said == "go" {
                    send(&messages, &mut links, &mut inputs).await?;
                }
            }
        }
    }
    links.shutdown().await;
    Ok(())
}

/// Sends all, with no more on the way than a core would have.
async fn send(
    messages: &[Vec<u8>],
    links: &mut Links,
    inputs: &mut LinkInputs,
) -> Result<(), String> {
    let mut window = 0_usize;
    for message in messages {
        window += message.len();
        links.send(LINK, message.clone());
        while window >= limits::TRANSPORT_WINDOW {
            match inputs.recv().await {
                Some(Input::Sent { bytes, .. }) => window = window.saturating_sub(bytes),
                Some(Input::LinkDown { cause, .. }) => return Err(cause.to_string()),
                Some(_) => {}
                None => return Err("the transport is gone".to_owned()),
            }
        }
    }
    Ok(())
}

/// Documents of about so many bytes of text, pushed as many to a message as fit.
fn messages(documents: usize, bytes: usize) -> Vec<Vec<u8>> {
    let identity = Identity::from_seed(&Seed::from_bytes([7; 32]));
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let Ok(network) = "bench".parse() else { return Vec::new() };
    let text = "x".repeat(bytes);
    let (mut messages, mut writer) = (Vec::new(), MessageWriter::default());
    for n in 0..documents {
        let content = json!({ "n": n, "text": text }).to_string();
        let document = forge::document(&identity, &network, now, &content);
        let frame =
            codec::encode(&Frame::Documents(DocumentFrame::Push(Push { hops: 0, document })));
        if !writer.push(&frame) {
            messages.push(std::mem::take(&mut writer).finish());
            writer.push(&frame);
        }
    }
    if !writer.is_empty() {
        messages.push(writer.finish());
    }
    messages
}
