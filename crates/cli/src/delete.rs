//! `taiinet delete`: taking back what was published.

use std::time::Duration;

use serde_json::json;
use taiinet::{DocumentId, PeerId, TaiiNet, Withdrawn};
use taiinet_terminal::{print, say};
use tokio::time::timeout;

use crate::{
    exit::{CommandResult, Exit},
    hints, key,
    net::{self, NetArgs},
};

/// Delete documents that this identity has published
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet delete --key mood --identity me.key
  taiinet delete --key list --of tn1… --identity me.key
  taiinet delete --id 5b1f… --id 77a0… --identity me.key

Subscriptions that show a document hear that it is gone, searches find it no more, and archives drop it,
also if it comes to them later. Whoever has read it may have kept it.
Exit codes: 0 a neighbour has taken the deletion, 1 none has, 2 wrong usage.")]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(false))]
pub(crate) struct DeleteArgs {
    /// The document under this key, in all its versions, those that others wrote of it among them; nobody else may
    /// write it from then on
    #[arg(long, value_name = "NAME", group = "what")]
    key: Option<String>,
    /// The document is this peer's, and lets you write: from then on there is none, until one of you writes again
    #[arg(long, value_name = "PEERID", requires = "key")]
    of: Option<PeerId>,
    /// Documents by their ids, as --json prints them; repeat it, or separate by commas
    #[arg(long, value_name = "ID", value_delimiter = ',', group = "what", value_parser = id)]
    id: Vec<DocumentId>,
    /// Give up after so many seconds
    #[arg(long, value_name = "SECS", default_value = "30", value_parser = net::seconds)]
    timeout: Duration,
    /// Print a summary as one line of JSON on stdout
    #[arg(long)]
    json: bool,
}

/// 64 hexadecimal digits.
fn id(text: &str) -> Result<DocumentId, String> {
    text.parse().map_err(|error| format!("{error}"))
}

pub(crate) async fn run(net: NetArgs, args: DeleteArgs) -> CommandResult {
    let net = net.connect().await?;
    hints::spawn(&net);
    let outcome = tokio::select! {
        outcome = delete(&net, &args) => outcome,
        () = net::told_to_leave() => Err(Exit::failed("interrupted: no neighbour has taken the deletion")),
    };
    let peer = net.peer_id();
    net.close().await;
    outcome?;
    let count = args.id.len().max(1);
    if args.json {
        let summary = json!({ "deleted": count, "peer_id": peer });
        return print(&format!("{summary}\n")).map_err(Exit::from);
    }
    let what = args.key.map_or_else(|| format!("{count} documents"), |key| format!("`{key}`"));
    say(format_args!("deleted {what} as {peer}"));
    Ok(())
}

async fn delete(net: &TaiiNet, args: &DeleteArgs) -> CommandResult {
    let what = match &args.key {
        Some(name) => Withdrawn::Key(key::key(name, None, args.of)),
        None => Withdrawn::Documents(args.id.clone()),
    };
    match timeout(args.timeout, net.delete(what)).await {
        Ok(deleted) => Ok(deleted?),
        Err(_) => Err(Exit::Failed(hints::why_alone(&net.status().await?))),
    }
}
