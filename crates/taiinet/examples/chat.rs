//! A chat room: every line you type goes to all that are in the same room.
//!
//! `cargo run --example chat -- ws://127.0.0.1:7700 kitchen Ada`

use serde::Deserialize;
use taiinet::{TaiiNet, json, query};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

#[derive(Deserialize)]
struct Message {
    name: String,
    text: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let signaller = args.next().ok_or("give a signaller's address")?;
    let room = args.next().unwrap_or_else(|| "lobby".to_owned());
    let name = args.next().unwrap_or_else(|| "somebody".to_owned());

    let net = TaiiNet::builder().network("chat").signaller(signaller).connect().await?;
    let mut messages = net.subscribe(query!({ "room": room }))?;
    let mut lines = BufReader::new(stdin()).lines();

    loop {
        tokio::select! {
            Some(message) = messages.next() => match message.deserialize::<Message>() {
                Ok(Message { name, text }) => println!("{name} ({}): {text}", message.author().short()),
                Err(error) => eprintln!("not a message: {error}"),
            },
            line = lines.next_line() => match line? {
                // Not `publish`: there may be no neighbour yet, and we want to go on reading.
                Some(text) => drop(net.queue(json!({ "room": room, "name": name, "text": text })).await?),
                None => break,
            },
        }
    }
    net.flush().await?;
    net.close().await;
    Ok(())
}
