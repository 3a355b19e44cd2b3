//! `taiinet demo`: a signaller and six peers, each a process of its own, on this machine. One
//! publishes a real data set, five subscribe with different queries; a live table shows what happens,
//! and the end says whether each got exactly what its query matches.

mod check;
mod data;
mod feed;
mod mesh;
mod process;
mod report;
mod screen;
mod table;

use std::time::{Duration, Instant};

use mesh::Mesh;
use process::{Happening, Processes};
use screen::Screen;

use crate::exit::{Exit, Outcome};

/// The last word on a good run.
const PASSED: &str = "ok: every subscriber got exactly the documents its query matches, each once; \
                      no peer was linked to all others";
/// How often the table is drawn and the state looked at.
const TICK: Duration = Duration::from_millis(200);
/// For so long nothing more may come after the last expected document, so that one that is
/// delivered twice, or should not have been delivered at all, has its chance to show.
const QUIET: Duration = Duration::from_millis(1500);

/// The arguments of `taiinet demo`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct DemoArgs {
    /// End after the check instead of leaving the mesh up
    #[arg(long)]
    once: bool,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,

    /// Publish so many documents a second; 0 is as fast as they are taken
    #[arg(long, value_name = "N", default_value_t = 250)]
    rate: u32,

    /// Give up after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    limit: u64,

    /// The name of the network [default: one of its own for each run]
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
}

/// Runs the demo; fails unless every peer got exactly its documents.
pub(crate) async fn run(args: DemoArgs) -> Outcome {
    play(&args, Screen::new()).await.map_err(Exit::Failed)
}

async fn play(args: &DemoArgs, mut screen: Screen) -> Result<(), String> {
    let mut stop = Stop::new()?;
    let network = args.network.clone().unwrap_or_else(unique_network);
    let records = data::records()?;
    let mut processes = Processes::new()?;
    let mut mesh = Mesh::new(&network, &records)?;
    let started = Instant::now();
    let deadline = started + Duration::from_secs(args.limit);

    screen.say("starting a signaller and six peers");
    let signaller = processes.start_signaller(deadline).await?;
    for (index, role) in data::ROLES.iter().enumerate() {
        processes.start_peer(index, role, &network, &signaller)?;
    }
    processes.guard()?;

    screen.say("waiting until they form one mesh");
    let mut begun = false;
    let mut quiet_since = None;
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let faults = loop {
        tokio::select! {
            happening = processes.next() => {
                if note(&mut mesh, happening)? {
                    quiet_since = None;
                }
            }
            _ = ticks.tick() => {
                if !begun && mesh.is_connected() {
                    screen.say("they are one mesh; publishing");
                    processes.feed(&records, args.rate)?;
                    begun = true;
                }
                screen.draw(&mesh, started.elapsed());
                if mesh.is_complete() {
                    if quiet_since.get_or_insert_with(Instant::now).elapsed() >= QUIET {
                        break mesh.faults();
                    }
                } else if Instant::now() >= deadline {
                    break timed_out(args.limit, &mesh);
                }
            }
            () = stop.asked() => return Err("stopped before the end".to_owned()),
        }
    };

    let took = started.elapsed();
    if args.once || !faults.is_empty() || !screen.is_live() {
        screen.clear();
        if args.json {
            anstream::println!("{}", mesh.to_json(&faults, took));
        } else {
            anstream::println!("{}", table::lines(&mesh, took).join("\n"));
        }
    }
    if !faults.is_empty() {
        processes.stop().await;
        return Err([faults, processes.complaints()].concat().join("\n  "));
    }
    if args.once {
        processes.stop().await;
        anstream::eprintln!("{PASSED}");
        return Ok(());
    }

    screen.invite(PASSED, &table::invitation(&network, &signaller));
    let outcome = loop {
        tokio::select! {
            happening = processes.next() => match note(&mut mesh, happening) {
                Ok(_) => {}
                Err(fault) => break Err(fault),
            },
            _ = ticks.tick() => screen.draw(&mesh, took),
            () = stop.asked() => break Ok(()),
        }
    };
    screen.clear();
    processes.stop().await;
    outcome
}

/// Takes note of what a process did; true if it was a delivery.
fn note(mesh: &mut Mesh, happening: Happening) -> Result<bool, String> {
    match happening {
        Happening::Status(peer, status) => mesh.status(peer, status),
        Happening::Delivery(peer, delivery) => {
            mesh.delivery(peer, delivery);
            return Ok(true);
        }
        Happening::Ended(fault) => return Err(fault),
    }
    Ok(false)
}

fn timed_out(limit: u64, mesh: &Mesh) -> Vec<String> {
    let mut faults = vec![format!("not finished within {limit} s")];
    faults.extend(mesh.faults());
    faults
}

/// A network that no earlier or other run on this machine has.
fn unique_network() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    format!("demo-{:x}-{:x}", std::process::id(), now.unwrap_or_default().as_millis() & 0xff_ffff)
}

/// The ways in which a user ends the demo.
struct Stop {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 3],
}

impl Stop {
    #[cfg(unix)]
    fn new() -> Result<Self, String> {
        use tokio::signal::unix::{SignalKind, signal};
        let on = |kind| signal(kind).map_err(|error| format!("signals: {error}"));
        let signals =
            [on(SignalKind::interrupt())?, on(SignalKind::terminate())?, on(SignalKind::hangup())?];
        Ok(Self { signals })
    }

    #[cfg(unix)]
    async fn asked(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn new() -> Result<Self, String> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn asked(&mut self) {
        // Without a way to be told, only the end of the process ends the demo.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
