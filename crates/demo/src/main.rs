//! `taiinet-demo`: a signaller and six peers, each a process of its own, on this machine. One
//! publishes a real data set, five subscribe with different queries; a live table shows what happens,
//! and the end says whether each got exactly what its query matches.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod check;
mod data;
mod feed;
mod mesh;
mod pages;
mod process;
mod report;
mod screen;
mod table;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Parser;
use taiinet_terminal as terminal;

use crate::{
    mesh::Mesh,
    pages::PagesArgs,
    process::{ProcessEvent, Processes},
    screen::Screen,
};

/// The last word on a good run.
const PASSED: &str = "ok: every subscriber got exactly the documents its query matches, each once; \
                      no peer was linked to all others";
/// How often the table is drawn and the state looked at.
const TICK: Duration = Duration::from_millis(200);
/// For so long nothing more may come after the last expected document, so that one that is
/// delivered twice, or should not have been delivered at all, has its chance to show.
const QUIET: Duration = Duration::from_millis(1500);

/// Run a signaller and six peers on this machine, and check what each gets.
#[derive(Debug, Parser)]
#[command(
    name = "taiinet-demo",
    version,
    max_term_width = 100,
    after_help = "Examples:
  taiinet-demo
  taiinet-demo --once --json | jq .peers
  taiinet-demo --pages wasm/demos --package wasm/npm/dist

The commands `taiinet` and `taiinet-signaller` are taken from the folder of this one.
Exit codes: 0 done, 1 failed, 2 wrong usage."
)]
struct Args {
    /// The network to run in; one of its own for each run if not given
    #[arg(long, env = "TAIINET_NETWORK", value_name = "NAME")]
    network: Option<String>,

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

    #[command(flatten)]
    pages: PagesArgs,
}

fn main() -> ExitCode {
    let args = match terminal::parse() {
        Ok(args) => args,
        Err(code) => return code,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(run(&args));
            // A task that does not end would hold us up.
            runtime.shutdown_background();
            ended
        }
        Err(error) => Err(format!("cannot start: {error}")),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            let red = anstyle::AnsiColor::Red.on_default().bold();
            terminal::say(format_args!("{red}error:{red:#} {}", terminal::lines(&reason)));
            ExitCode::FAILURE
        }
    }
}

/// Runs the demo; fails unless every peer got exactly its documents.
async fn run(args: &Args) -> Result<(), String> {
    let network = args.network.clone().unwrap_or_else(unique_network);
    let mut screen = Screen::new();
    let mut processes = Processes::new()?;
    let played = play(&network, args, &mut screen, &mut processes).await;
    screen.clear();
    processes.stop().await;
    played.map_err(|fault| [vec![fault], processes.complaints()].concat().join("\n  "))
}

/// The demo itself; whatever happens in it, the processes are ended after it.
async fn play(
    network: &str,
    args: &Args,
    screen: &mut Screen,
    processes: &mut Processes,
) -> Result<(), String> {
    let mut stop = Stop::new()?;
    let records = data::records()?;
    let mut mesh = Mesh::new(network, &records)?;
    let started = Instant::now();
    let deadline = started + Duration::from_secs(args.limit);

    screen.say("starting a signaller and six peers");
    let signaller = processes.start_signaller(deadline).await?;
    let browsers = args.pages.are_given() && !args.once;
    for (index, role) in data::ROLES.iter().enumerate() {
        processes.start_peer(index, role, network, &signaller, browsers)?;
    }
    processes.guard()?;

    screen.say("waiting until they form one mesh");
    let mut begun = false;
    let mut quiet_since = None;
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut faults = loop {
        tokio::select! {
            event = processes.next() => {
                if note(&mut mesh, event)? {
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
    let passed = faults.is_empty();
    // A table that stays on the screen, and lives on, need not be printed as well.
    if args.once || args.json || !passed || !screen.is_live() {
        screen.clear();
        let result = match args.json {
            true => terminal::json(&mesh.to_json(&faults, took).to_string()).into_owned(),
            false => table::lines(&mesh, took).join("\n"),
        };
        if let Err(error) = terminal::print(&format!("{result}\n")) {
            faults.push(terminal::unwritten(&error));
        }
    }
    if !faults.is_empty() {
        return Err(faults.join("\n  "));
    }
    if args.once {
        terminal::say(PASSED);
        return Ok(());
    }

    mesh.checked();
    if args.pages.are_to_be_built() {
        screen.say("building what pages need (cargo xtask wasm), a minute or two the first time");
    }
    let build = args.pages.build();
    tokio::pin!(build);
    let built = loop {
        tokio::select! {
            built = &mut build => break built,
            event = processes.next() => note(&mut mesh, event).map(drop)?,
            _ = ticks.tick(), if screen.is_live() => screen.draw(&mesh, took),
            () = stop.asked() => {
                screen.leave();
                return Ok(());
            }
        }
    };
    let pages = match built {
        Ok(()) => args.pages.serve(network, &signaller).await?,
        Err(why) => {
            terminal::say(format_args!(
                "without the pages for a browser: {}",
                terminal::lines(&why)
            ));
            None
        }
    };
    if pages.is_some() {
        processes.feed_again();
    }
    // Those who come later find what was published before them.
    processes.start_archive(network, &signaller)?;
    let program = processes.program("taiinet")?;
    screen.invite(PASSED, &table::invitation(&program, network, &signaller, pages.as_deref()));
    loop {
        tokio::select! {
            event = processes.next() => note(&mut mesh, event).map(drop)?,
            // Where nothing can be redrawn, the same line over and over would say nothing.
            _ = ticks.tick(), if screen.is_live() => screen.draw(&mesh, took),
            () = stop.asked() => {
                screen.leave();
                return Ok(());
            }
        }
    }
}

/// Takes note of what a process did; true if it was a delivery.
fn note(mesh: &mut Mesh, event: ProcessEvent) -> Result<bool, String> {
    match event {
        ProcessEvent::Status(peer, status) => mesh.status(peer, status),
        ProcessEvent::Delivery(peer, delivery) => {
            mesh.delivery(peer, delivery);
            return Ok(true);
        }
        ProcessEvent::Ended(fault) => return Err(fault),
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
