//! The command `taiinet-sim`: plays a scenario and says what it has shown.

#![warn(clippy::print_stdout, clippy::print_stderr)]

use std::{
    fs,
    io::IsTerminal as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use taiinet_daemon::{Signals, Told};
use taiinet_sim::{
    report,
    scenario::{self, Changes, Fault, Figures, Moment, Scenario},
};
use taiinet_terminal as terminal;

/// A world of thousands of peers makes and frees millions of messages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the system calls wrong usage.
const USAGE: u8 = 2;
/// The exit code of a program that a user stops.
const INTERRUPTED: u8 = 130;

/// Plays a scenario: thousands of real peers on a virtual clock and virtual links
#[derive(Debug, Parser)]
#[command(
    name = "taiinet-sim",
    version,
    after_help = "\
Ctrl-C and SIGTERM stop a run, which then says what it has so far; a second time, it ends at once.
Exit codes: 0 done, 1 a bound of the scenario is broken, 2 wrong usage or a wrong scenario, 130 stopped."
)]
struct Args {
    /// The scenario's file
    scenario: PathBuf,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Print who wants what and which documents are published when, as one JSON object, and play nothing: for a
    /// real mesh to do the same
    #[arg(long, conflicts_with_all = ["json", "csv", "html", "svg"])]
    plan: bool,
    /// Write each second as a line of CSV
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write a page with plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the plot of documents that peers carry and do not want
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Take another seed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Take another number of peers
    #[arg(long, value_name = "N")]
    peers: Option<usize>,
    /// Play the short form
    #[arg(long)]
    short: bool,
}

fn main() -> ExitCode {
    let args = match terminal::parse::<Args>() {
        Ok(args) => args,
        Err(code) => return code,
    };
    let Args { seed, peers, short, .. } = args;
    let scenario = match Scenario::read(&args.scenario, Changes { short, seed, peers }) {
        Ok(scenario) => scenario,
        Err(error) => return fail(&error.to_string(), USAGE),
    };
    if args.plan {
        return tell_plan(&args, &scenario);
    }
    let stopped = Arc::new(AtomicBool::new(false));
    if let Err(error) = listen(Arc::clone(&stopped)) {
        return fail(&format!("cannot hear of signals: {error}"), 1);
    }
    let bar = bar();
    let goes_on = |moment: Moment<'_>| {
        show(&bar, moment);
        !stopped.load(Ordering::Relaxed)
    };
    let played = scenario::run(&scenario, goes_on);
    bar.finish_and_clear();
    match played {
        Ok(figures) => tell(&args, &scenario, &figures),
        Err(error) => fail(&format!("{}: {error}", args.scenario.display()), USAGE),
    }
}

fn fail(message: &str, code: u8) -> ExitCode {
    terminal::say(format_args!("taiinet-sim: {}", terminal::lines(message.trim_end())));
    code.into()
}

/// The first signal stops the run, the second the process.
fn listen(stopped: Arc<AtomicBool>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _inside = runtime.enter();
        Signals::new()?
    };
    thread::spawn(move || {
        runtime.block_on(async {
            loop {
                if signals.next().await == Told::Stop && stopped.swap(true, Ordering::Relaxed) {
                    std::process::exit(INTERRUPTED.into());
                }
            }
        });
    });
    Ok(())
}

fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(1);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {msg}, {elapsed}, {eta} to go") {
        bar.set_style(style);
    }
    bar
}

fn show(bar: &ProgressBar, moment: Moment<'_>) {
    if !bar.is_hidden() {
        bar.set_length(moment.until);
        bar.set_position(moment.at);
        bar.set_message(format!("{} s: {}", moment.at / 1000, moment.what));
    }
}

fn tell(args: &Args, scenario: &Scenario, figures: &Figures) -> ExitCode {
    let printed = if args.json {
        terminal::print(&format!("{}\n", terminal::json(&report::json(figures))))
    } else {
        terminal::print(&report::table(figures))
    };
    let mut code =
        if figures.interrupted { INTERRUPTED } else { u8::from(!figures.broken.is_empty()) };
    let mut write = |path: &Option<PathBuf>, text: &dyn Fn() -> String| {
        if let Some(path) = path
            && let Err(why) = save(path, &text())
        {
            code = code.max(1);
            fail(&why, 1);
        }
    };
    write(&args.csv, &|| report::csv(figures));
    write(&args.svg, &|| report::svg(figures, &marks(scenario)));
    write(&args.html, &|| report::html(figures, &scenario.about, &marks(scenario)));
    if let Err(error) = printed {
        return fail(&terminal::unwritten(&error), 1);
    }
    for check in &figures.broken {
        let (name, seed) = (&figures.scenario, figures.seed);
        fail(&format!("{name} with seed {seed} breaks its bound: {check}"), 1);
    }
    code.into()
}

fn tell_plan(args: &Args, scenario: &Scenario) -> ExitCode {
    let plan = match scenario::plan(scenario) {
        Ok(plan) => plan,
        Err(error) => return fail(&format!("{}: {error}", args.scenario.display()), USAGE),
    };
    match terminal::print(&format!("{}\n", terminal::json(&report::json(&plan)))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&terminal::unwritten(&error), 1),
    }
}

fn save(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// When something befalls the mesh, in seconds of the measurement.
fn marks(scenario: &Scenario) -> Vec<f64> {
    let faults = scenario.fault.iter().flat_map(|fault| match fault {
        Fault::Death(death) => vec![death.at_s.get_ref().get()],
        Fault::Partition(cut) => vec![cut.from_s.get(), cut.to_s.get_ref().get()],
        Fault::Churn(_) => Vec::new(),
    });
    faults.collect()
}
