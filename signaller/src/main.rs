//! The command `taiinet-signaller`.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod options;
mod reload;
mod status;

use std::{io, path::Path, process::ExitCode, sync::Arc};

use rand_core::UnwrapErr;
use taiinet_daemon::{Log, Manager, Signals, Told};
use taiinet_identity::{
    Identity,
    keyfile::{self, Passphrase},
};
use taiinet_signaller::server::{Server, ServerError};
use taiinet_terminal as terminal;
use tokio::sync::oneshot;

use options::{Given, Settings};
use reload::Reloader;

/// A message is allocated by the task of one connection and freed by that of another. The system's
/// allocator takes a lock for each of those, which cost a quarter of a busy signaller's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the system calls wrong usage.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let matches = match options::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return terminal::end(&error),
    };
    let given = Given::new(matches);
    match given.asks() {
        Some(Ok(asked)) => {
            return status::show(&asked)
                .map_or_else(|(error, code)| fail(&error, code), |()| ExitCode::SUCCESS);
        }
        Some(Err(error)) => return terminal::end(&error),
        None => {}
    }
    let options = match given.read() {
        Ok(options) => options,
        Err(message) => return fail(&message, USAGE),
    };
    if let Some(done) = options::documents(&options) {
        return done.map_or_else(|error| fail(&error, 1), |()| ExitCode::SUCCESS);
    }
    if options.check_config {
        return check(&options.settings);
    }
    let log = Log::start(options.settings.log_filter(), options.settings.log_format);
    #[cfg(unix)]
    raise_descriptors(options.settings.max_clients);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}"), 1),
    };
    let done = runtime.block_on(run(options.settings, given, log));
    runtime.shutdown_background();
    done.map_or_else(|message| fail(&message, 1), |()| ExitCode::SUCCESS)
}

fn fail(message: &str, code: u8) -> ExitCode {
    say(message.trim_end());
    code.into()
}

fn say(message: &str) {
    terminal::say(format_args!("taiinet-signaller: {}", terminal::lines(message)));
}

/// Says what would run, and whether its files can be used.
fn check(settings: &Settings) -> ExitCode {
    let accept = settings.configs().map(|(_, accept)| accept);
    let checked = accept.and_then(|accept| accept.check().map_err(|error| error.to_string()));
    let warnings = match checked {
        Ok(warnings) => warnings,
        Err(error) => return fail(&error, USAGE),
    };
    let files = [&settings.identity, &settings.passphrase_file];
    for file in files.into_iter().flatten() {
        if let Err(error) = std::fs::File::open(file) {
            return fail(&format!("{}: {error}", file.display()), USAGE);
        }
    }
    for warning in settings.warnings().into_iter().chain(warnings) {
        say(&warning);
    }
    let text = if settings.json {
        serde_json::to_string_pretty(settings).map_err(|error| error.to_string())
    } else {
        toml::to_string(settings).map_err(|error| error.to_string())
    };
    match text.map(|text| terminal::print(&format!("{}\n", text.trim_end()))) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => fail(&terminal::unwritten(&error), 1),
        Err(error) => fail(&error, USAGE),
    }
}

/// Each connection takes a descriptor, of which programs are given about a thousand until they ask.
#[cfg(unix)]
pub(crate) fn raise_descriptors(clients: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let most = getrlimit(Resource::Nofile).current;
    if most.is_some_and(|most| most <= clients as u64) {
        tracing::warn!(
            most,
            clients,
            "the system allows fewer open files than clients (ulimit -n)"
        );
    }
}

async fn run(settings: Settings, given: Given, log: Log) -> Result<(), String> {
    let signals = Signals::new().map_err(|error| format!("cannot hear signals: {error}"))?;
    let identity = match &settings.identity {
        None => Identity::generate(&mut UnwrapErr(getrandom::SysRng)),
        Some(file) => load(file, settings.passphrase_file.as_deref())?,
    };
    let (config, accept) = settings.configs()?;
    let relays = config.desk.relaying.is_some();
    if config.desk.pool.is_some() && settings.identity.is_none() {
        tracing::warn!(
            "without --identity the key is another after each start: others must learn it again"
        );
    }
    for warning in settings.warnings() {
        tracing::warn!("{warning}");
    }
    let manager = Arc::new(Manager::from_env());
    let server = Server::bind_with(config, accept, identity).await.map_err(|error| {
        let next = match &error {
            ServerError::Listen { .. } => {
                "\n  Is another one running there? --listen takes another address."
            }
            _ => "",
        };
        format!("{error}{next}")
    })?;
    if let Err(error) = terminal::print(&announcement(&server, settings.json)) {
        // Those who know the address are served all the same.
        tracing::error!("where it listens cannot be written to stdout: {error}");
    }
    tracing::info!("listening");
    if relays {
        tracing::info!("relays links between peers that have no direct path");
    }
    manager.ready("listening");
    let (pulse, reload) = (server.pulse(), server.reload());
    let reloader = Reloader::new(given, settings, log, reload, manager.clone());
    let [stop, again] = stops(signals, Arc::new(reloader));
    let stop = async {
        let _ = stop.await;
        manager.stopping("telling all peers");
    };
    tokio::select! {
        result = server.run(stop) => result.map_err(|error| format!("stopped: {error}")),
        _ = again => Err("stopped at once, by a second signal".to_owned()),
        never = manager.keep_alive(async || pulse.is_well()) => match never {},
    }
}

/// The first time that it is told to stop, and the second. Meanwhile it reloads whenever it is told to.
fn stops(mut signals: Signals, reloader: Arc<Reloader>) -> [oneshot::Receiver<()>; 2] {
    let (first, second) = (oneshot::channel(), oneshot::channel());
    let told = [first.0, second.0];
    tokio::spawn(async move {
        for stop in told {
            while signals.next().await == Told::Reload {
                // It reads files.
                let reloader = reloader.clone();
                let _ = tokio::task::spawn_blocking(move || reloader.run()).await;
            }
            let _ = stop.send(());
        }
    });
    [first.1, second.1]
}

fn load(file: &Path, passphrase_file: Option<&Path>) -> Result<Identity, String> {
    let passphrase = || -> io::Result<Passphrase> {
        let given = Passphrase::given(passphrase_file, "TAIINET_PASSPHRASE")?;
        given.ok_or_else(|| io::Error::other("none was given"))
    };
    keyfile::load(file, passphrase)
        .map_err(|error| format!("{}: {error}; {}", file.display(), error.next_step()))
}

/// Where it listens, in the form that peers take.
fn announcement(server: &Server, json: bool) -> String {
    let (urls, peer_id) = (server.urls(), server.peer_id());
    if json {
        let line = serde_json::json!({
            "event": "listening", "url": urls.first(), "urls": urls, "peer_id": peer_id.to_string(),
            "metrics": server.metrics(),
        });
        return format!("{line}\n");
    }
    let listening = urls.iter().map(|url| format!("listening on {url}\n"));
    let metrics = server.metrics().map(|address| format!("metrics on http://{address}/metrics\n"));
    listening.chain(metrics).collect()
}
