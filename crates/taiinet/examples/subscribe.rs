//! Prints the documents that match a query, until Ctrl-C.
//!
//! `cargo run --example subscribe -- ws://127.0.0.1:7700`

use taiinet::{TaiiNet, query};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let signaller = std::env::args().nth(1).ok_or("give a signaller's address")?;
    let net = TaiiNet::builder().network("tweets").signaller(signaller).connect().await?;
    let mut tweets = net.subscribe(query!({ "type": "tweet", "likes": { "$gt": 4 } }))?;

    loop {
        tokio::select! {
            Some(tweet) = tweets.next() => println!("{}: {}", tweet.author(), tweet.json()),
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    net.close().await;
    Ok(())
}
