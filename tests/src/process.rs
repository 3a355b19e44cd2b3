//! A program that runs beside the test.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::Value;

/// How long a condition may take to come true: far longer than it ever should, also on a machine
/// that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// Waits until `condition` gives something.
///
/// # Panics
/// If it does not within a minute; `what` says what was waited for.
pub fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "in {} s not: {what}", PATIENCE.as_secs());
        std::thread::sleep(GLANCE);
    }
}

/// A running program and what it printed so far. Killed and reaped when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Lines,
    stderr: Lines,
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts a program; `name` is what the test calls it.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(name: &str, command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{name} cannot be run: {error}"));
        let stdin = child.stdin.take();
        let stdout = Lines::read(child.stdout.take());
        let stderr = Lines::read(child.stderr.take());
        Self { name: name.to_owned(), child, stdin, stdout, stderr, status: None }
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The lines on its stdout so far.
    pub fn stdout(&self) -> Vec<String> {
        self.stdout.get().clone()
    }

    /// The lines on its stderr so far, without reports.
    pub fn stderr(&self) -> Vec<String> {
        self.stderr.get().iter().filter(|line| !is_report(line)).cloned().collect()
    }

    /// Its last report (`--report`), as `{"peer_id", "links", "signallers", "counters", …}`.
    pub fn report(&self) -> Option<Value> {
        let lines = self.stderr.get();
        let last = lines.iter().rev().find(|line| is_report(line))?;
        Some(serde_json::from_str::<Value>(last).ok()?["status"].take())
    }

    /// How many reports it has given.
    pub fn reports(&self) -> usize {
        self.stderr.get().iter().filter(|line| is_report(line)).count()
    }

    /// Waits until `condition` gives something, looking again and again.
    ///
    /// # Panics
    /// If it does not within a minute, with what the program has said.
    pub fn eventually<T>(&self, what: &str, condition: impl Fn(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(value) = condition(self) {
                return value;
            }
            assert!(
                Instant::now() < deadline,
                "{} in {} s not: {what}\nits last report: {}\nit said:\n{}",
                self.name,
                PATIENCE.as_secs(),
                self.report().unwrap_or_default(),
                self.stderr().join("\n")
            );
            std::thread::sleep(GLANCE);
        }
    }

    /// Writes to its stdin.
    ///
    /// # Panics
    /// If it does not read any more.
    pub fn write(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        let written = stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush());
        written.unwrap_or_else(|error| {
            panic!("{} takes nothing more: {error}\n{}", self.name, self.stderr().join("\n"))
        });
    }

    /// Ends its stdin.
    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal by its name: `INT`, `TERM`, …
    ///
    /// # Panics
    /// If there is no such process.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        // The shell's own `kill`: the program of that name is not on every machine.
        let kill = format!("kill -{name} {}", self.id());
        let status = Command::new("sh").args(["-c", &kill]).status().expect("sh can be run");
        assert!(status.success(), "{kill}: {status}");
    }

    /// Kills it (SIGKILL) and waits for its end.
    pub fn kill(&mut self) {
        // One that has ended already is as good as killed.
        let _ = self.child.kill();
        self.status = self.child.wait().ok();
        self.stdin = None;
        self.stdout.finish();
        self.stderr.finish();
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.status.is_none() && matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end; its exit code.
    ///
    /// # Panics
    /// If it does not end within a minute, or by a signal.
    pub fn exit_code(&mut self) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.status {
                break status;
            }
            self.status = self.child.try_wait().expect("it can be waited for");
            assert!(
                Instant::now() < deadline,
                "{} does not end; it said:\n{}",
                self.name,
                self.stderr().join("\n")
            );
            std::thread::sleep(GLANCE);
        };
        self.stdout.finish();
        self.stderr.finish();
        status.code().unwrap_or_else(|| panic!("{} ended by {status}", self.name))
    }

    /// Waits for its end, which must be a good one.
    ///
    /// # Panics
    /// If the exit code is not 0.
    pub fn succeeds(&mut self) {
        let code = self.exit_code();
        assert_eq!(code, 0, "{} failed; it said:\n{}", self.name, self.stderr().join("\n"));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn is_report(line: &str) -> bool {
    line.starts_with(r#"{"status":"#)
}

/// Lines that a thread of their own reads as they come.
#[derive(Debug)]
struct Lines {
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Lines {
    fn read(source: Option<impl Read + Send + 'static>) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let reader = std::thread::spawn(move || {
            let source = BufReader::new(source.expect("the output is piped"));
            for line in source.split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Self { lines, reader: Some(reader) }
    }

    fn get(&self) -> MutexGuard<'_, Vec<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads to the end, once the program has ended.
    fn finish(&mut self) {
        if let Some(reader) = self.reader.take() {
            // It has nothing to panic about.
            let _ = reader.join();
        }
    }
}
