//! Publishes one document and waits until a neighbour has taken it.
//!
//! `cargo run --example publish -- ws://127.0.0.1:7700 "hello"`

use taiinet::{TaiiNet, json};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let signaller = args.next().ok_or("give a signaller's address")?;
    let text = args.next().unwrap_or_else(|| "hello".to_owned());

    let net = TaiiNet::builder().network("tweets").signaller(signaller).connect().await?;
    let id = net.publish(json!({ "type": "tweet", "text": text, "likes": 5 })).await?;
    println!("published {id}");
    net.close().await;
    Ok(())
}
