//! The processes of the demo: started, listened to, and ended whatever happens.

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    sync::{Notify, mpsc},
    task::JoinSet,
};

use crate::{
    data::{PUBLISHER, ROLES, Record, Role},
    feed::feed,
    report::{self, Delivery, Status},
};

/// Lines that wait to be looked at; beyond it the processes wait.
const WAITING: usize = 1024;
/// Lines of a process that are kept, to be shown if it fails.
const COMPLAINTS: usize = 8;
/// Documents a second once the mesh is only to be looked at.
const RATE_AGAIN: u32 = 8;

/// Something that a process did.
pub(crate) enum ProcessEvent {
    /// A peer's report.
    Status(usize, Status),
    /// A document was delivered at a peer.
    Delivery(usize, Delivery),
    /// A process ended that should not have.
    Ended(String),
}

/// The last lines on stderr of each process, by name.
type Complaints = Arc<Mutex<BTreeMap<&'static str, VecDeque<String>>>>;

/// The processes. They are killed when this is dropped, and by a guard if we are killed ourselves.
pub(crate) struct Processes {
    folder: PathBuf,
    children: Vec<(&'static str, Child)>,
    publisher: Option<ChildStdin>,
    again: Arc<Notify>,
    guards: Vec<Child>,
    /// How many of the processes are guarded.
    guarded: usize,
    /// Where the archive is, while there is one.
    store: Option<PathBuf>,
    events: (mpsc::Sender<ProcessEvent>, mpsc::Receiver<ProcessEvent>),
    complaints: Complaints,
    /// They read what is complained about.
    listeners: JoinSet<()>,
}

impl Processes {
    pub(crate) fn new() -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| format!("own path: {error}"))?;
        Ok(Self {
            folder: program.parent().unwrap_or(Path::new(".")).to_path_buf(),
            children: Vec::new(),
            publisher: None,
            again: Arc::default(),
            guards: Vec::new(),
            guarded: 0,
            store: None,
            events: mpsc::channel(WAITING),
            complaints: Complaints::default(),
            listeners: JoinSet::new(),
        })
    }

    /// Starts the signaller; its address.
    pub(crate) async fn start_signaller(&mut self, deadline: Instant) -> Result<String, String> {
        let program = self.program("taiinet-signaller")?;
        let mut command = Command::new(program);
        command.args(["--listen", "127.0.0.1:0", "--json"]).stdin(Stdio::null());
        let mut child = self.start("signaller", &mut command)?;
        let stdout = child.stdout.take();
        self.children.push(("signaller", child));

        let mut lines = BufReader::new(stdout.ok_or("the signaller has no output")?).lines();
        let ready = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(url) = ready_url(&line) {
                    return Some(url);
                }
            }
            None
        };
        let url = tokio::time::timeout_at(deadline.into(), ready).await.unwrap_or(None);
        // What it prints later is of no interest, but the pipe must not fill.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        url.ok_or_else(|| "the signaller did not start".to_owned())
    }

    /// Starts a peer; `browsers` are to reach it, too.
    pub(crate) fn start_peer(
        &mut self,
        index: usize,
        role: &Role,
        network: &str,
        signaller: &str,
        browsers: bool,
    ) -> Result<(), String> {
        let mut command = Command::new(self.program("taiinet")?);
        match role.query {
            Some(query) => command.args(["subscribe", query, "--json"]).stdin(Stdio::null()),
            None => command.args(["publish", "-"]).stdin(Stdio::piped()),
        };
        command.args(["--network", network, "--signaller", signaller]);
        command.args(["--links", "3,4", "--report"]);
        if !browsers {
            // Firefox would not link to loopback, even on the same machine.
            command.args(["--bind", "127.0.0.1:0"]);
        }
        let name = ROLES.get(index).map_or("peer", |role| role.name);
        let mut child = self.start(name, &mut command)?;
        if index == PUBLISHER {
            self.publisher = child.stdin.take();
        }
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(deliveries(index, name, stdout, self.events.0.clone()));
        }
        self.children.push((name, child));
        Ok(())
    }

    /// Starts an archive, which keeps everything that is published from now on for pages that come later.
    pub(crate) fn start_archive(&mut self, network: &str, signaller: &str) -> Result<(), String> {
        let store = std::env::temp_dir().join(format!("taiinet-{network}-{}", std::process::id()));
        let mut command = Command::new(self.program("taiinet")?);
        command.args(["seed", "{}", "--index", "magnitude,time", "--store"]).arg(&store);
        command.args(["--network", network, "--signaller", signaller]).stdin(Stdio::null());
        self.store = Some(store);
        let mut child = self.start("archive", &mut command)?;
        if let Some(mut stdout) = child.stdout.take() {
            // What it prints is of no interest, but the pipe must not fill.
            tokio::spawn(async move { tokio::io::copy(&mut stdout, &mut tokio::io::sink()).await });
        }
        self.children.push(("archive", child));
        self.guard()
    }

    /// Sees to it that the processes are killed if we are: a shell waits for the end of its input,
    /// which comes when we end, in whatever way. (A line of input tells it that all is well.)
    #[cfg(unix)]
    pub(crate) fn guard(&mut self) -> Result<(), String> {
        let fresh = self.children.iter().skip(self.guarded);
        let ids = fresh.filter_map(|(_, child)| Some(child.id()?.to_string()));
        let mut command = Command::new("/bin/sh");
        command.args(["-c", r#"read -r _ || kill -9 "$@""#, "taiinet-demo-guard"]).args(ids);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Ctrl-C reaches the whole group of the terminal; the guard must outlive us.
        command.process_group(0);
        self.guards.push(command.spawn().map_err(|error| format!("/bin/sh: {error}"))?);
        self.guarded = self.children.len();
        Ok(())
    }

    #[cfg(not(unix))]
    pub(crate) fn guard(&mut self) -> Result<(), String> {
        Ok(())
    }

    /// Begins to give the publisher these documents, so many a second.
    pub(crate) fn feed(&mut self, records: &[Record], rate: u32) -> Result<(), String> {
        let publisher = self.publisher.take().ok_or("there is no publisher")?;
        let lines: Vec<String> = records.iter().map(|record| record.line.clone()).collect();
        let (events, again) = (self.events.0.clone(), self.again.clone());
        tokio::spawn(async move {
            // The end of its input would end the publisher; it is to stay in the mesh.
            let fed = async {
                let mut input = feed(lines.clone(), rate, publisher).await?;
                again.notified().await;
                loop {
                    input = feed(lines.clone(), RATE_AGAIN, input).await?;
                }
            };
            let Err::<Infallible, io::Error>(error) = fed.await;
            let fault = format!("the publisher takes nothing more: {error}");
            let _ = events.send(ProcessEvent::Ended(fault)).await;
        });
        Ok(())
    }

    /// Lets the same come again and again, slowly, once it has come: each time as new documents.
    pub(crate) fn feed_again(&self) {
        self.again.notify_one();
    }

    /// The next thing that a process does.
    pub(crate) async fn next(&mut self) -> ProcessEvent {
        // We hold a sender ourselves, so the channel never ends.
        match self.events.1.recv().await {
            Some(event) => event,
            None => std::future::pending().await,
        }
    }

    /// Ends all processes.
    pub(crate) async fn stop(&mut self) {
        for (_, child) in &mut self.children {
            // One that has ended already is all right.
            let _ = child.start_kill();
        }
        for (_, child) in &mut self.children {
            let _ = tokio::time::timeout(Duration::from_secs(5), child.wait()).await;
        }
        self.children.clear();
        // What they said last is read to its end; they need not be heard any more otherwise.
        self.events.1.close();
        let all = async { while self.listeners.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(Duration::from_secs(1), all).await;
        if let Some(store) = self.store.take() {
            let _ = std::fs::remove_dir_all(store);
        }
        for mut guard in self.guards.drain(..) {
            if let Some(mut stdin) = guard.stdin.take() {
                let _ = stdin.write_all(b"all ended\n").await;
            }
            let _ = tokio::time::timeout(Duration::from_secs(5), guard.wait()).await;
        }
    }

    /// What the processes complained about last.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |(name, lines): (&&str, &VecDeque<String>)| {
            lines.iter().map(|line| format!("  {name}: {line}")).collect::<Vec<_>>()
        };
        complaints.iter().flat_map(of).collect()
    }

    /// A command of ours, beside this one.
    pub(crate) fn program(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.folder.join(name).with_extension(std::env::consts::EXE_EXTENSION);
        if path.is_file() {
            return Ok(path);
        }
        Err(format!(
            "{} is missing; build it with `cargo build --bin {name}`, or install it beside \
             `taiinet-demo`",
            path.display()
        ))
    }

    fn start(&mut self, name: &'static str, command: &mut Command) -> Result<Child, String> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // Ctrl-C is for us; we end them.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| format!("{name}: {error}"))?;
        if let Some(stderr) = child.stderr.take() {
            let index = ROLES.iter().position(|role| role.name == name);
            let (events, complaints) = (self.events.0.clone(), self.complaints.clone());
            self.listeners.spawn(reports(index, name, stderr, events, complaints));
        }
        Ok(child)
    }
}

/// The address in the line that the signaller prints when it is ready.
fn ready_url(line: &str) -> Option<String> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    Some(line.get("url")?.as_str()?.to_owned())
}

/// Reads what a subscriber prints. The end of it is the end of the process.
async fn deliveries(
    index: usize,
    name: &'static str,
    stdout: impl AsyncRead + Unpin,
    events: mpsc::Sender<ProcessEvent>,
) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let event = match report::delivery(&line) {
            Some(delivery) => ProcessEvent::Delivery(index, delivery),
            None if index == PUBLISHER || report::is_event(&line) => continue,
            None => ProcessEvent::Ended(format!("{name} printed what is no document: {line}")),
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
    // There is no listener any more once the demo is over.
    let _ = events.send(ProcessEvent::Ended(format!("{name} ended before its time"))).await;
}

/// Reads what a process prints on stderr: reports, and complaints.
async fn reports(
    index: Option<usize>,
    name: &'static str,
    stderr: impl AsyncRead + Unpin,
    events: mpsc::Sender<ProcessEvent>,
    complaints: Complaints,
) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let (Some(index), Some(status)) = (index, report::status(&line)) {
            // Once the demo is over, only complaints are of interest.
            let _ = events.send(ProcessEvent::Status(index, status)).await;
            continue;
        }
        let mut complaints = complaints.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = complaints.entry(name).or_default();
        if kept.len() == COMPLAINTS {
            kept.pop_front();
        }
        kept.push_back(line);
    }
}
