use std::net::SocketAddr;

use crate::{client::Client, program::Program};

async fn status(address: SocketAddr, header: &[(&'static str, &str)]) -> (u16, Option<Client>) {
    match Client::try_connect(address, header).await {
        Ok(client) => (101, Some(client)),
        Err(response) => (response.status().as_u16(), None),
    }
}

#[tokio::test]
async fn a_trusted_proxy_says_which_address_it_serves() {
    let program = Program::start(&[
        "--trusted-proxy",
        "127.0.0.0/8",
        "--max-clients-per-address",
        "1",
        "--max-new-per-minute",
        "2",
    ]);
    let from = |line| [("x-forwarded-for", line)];
    let one = status(program.address(), &from("192.0.2.1")).await;
    let two = status(program.address(), &from("192.0.2.2")).await;
    assert_eq!((one.0, two.0), (101, 101));
    // What the client wrote itself stands to the left.
    let forged = status(program.address(), &from("203.0.113.9, 192.0.2.1")).await;
    assert_eq!(forged.0, 429);
    let unread = status(program.address(), &[("forwarded", "for=203.0.113.9")]).await;
    let again = status(program.address(), &[("forwarded", "for=203.0.113.10")]).await;
    assert_eq!((unread.0, again.0), (101, 429), "the other header is not believed");
}

#[tokio::test]
async fn nobody_elses_header_is_believed() {
    let program =
        Program::start(&["--trusted-proxy", "10.0.0.0/8", "--max-clients-per-address", "1"]);
    let one = status(program.address(), &[("x-forwarded-for", "192.0.2.1")]).await;
    let two = status(program.address(), &[("x-forwarded-for", "192.0.2.2")]).await;
    assert_eq!((one.0, two.0), (101, 429));
}

#[tokio::test]
async fn forwarded_is_believed_where_the_operator_says_so() {
    let program = Program::start(&[
        "--trusted-proxy",
        "127.0.0.1",
        "--proxy-header",
        "forwarded",
        "--max-clients-per-address",
        "1",
    ]);
    let one = status(program.address(), &[("forwarded", "for=\"[2001:db8::1]:9\"")]).await;
    let same = status(program.address(), &[("forwarded", "for=\"[2001:db8::2]\"")]).await;
    let two = status(program.address(), &[("forwarded", "for=192.0.2.1;proto=https")]).await;
    assert_eq!((one.0, same.0, two.0), (101, 429, 101));
}
