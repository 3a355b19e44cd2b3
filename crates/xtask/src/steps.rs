//! Steps: run one after the other, each with a heading and its time, and a summary at the end.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StepOutcome {
    Passed,
    /// What is wrong, in a few words; the command has printed the rest.
    Failed(String),
    /// Why it could not be run here.
    Skipped(String),
}

/// Something to run.
pub(crate) struct Step {
    /// The name by which it is chosen.
    pub(crate) name: &'static str,
    /// What it does, for its heading.
    pub(crate) title: &'static str,
    pub(crate) run: fn() -> StepOutcome,
}

/// Runs the steps and prints the summary; true if none failed.
pub(crate) fn run(steps: &[&Step], fail_fast: bool) -> bool {
    let style = Style::detect();
    let started = Meter::start();
    let mut results: Vec<(&Step, StepOutcome, Cost)> = Vec::new();

    for (number, step) in steps.iter().enumerate() {
        println!(
            "\n{}━━ {}/{} {} · {}{}",
            style.bold,
            number + 1,
            steps.len(),
            step.name,
            step.title,
            style.reset
        );
        flush();
        let begun = Meter::start();
        let outcome = (step.run)();
        let cost = begun.read();
        println!("{} {} in {cost}", style.mark(&outcome), step.name);
        if let StepOutcome::Failed(why) | StepOutcome::Skipped(why) = &outcome {
            println!("  {why}");
        }
        flush();
        let failed = matches!(outcome, StepOutcome::Failed(_));
        results.push((step, outcome, cost));
        if failed && fail_fast {
            break;
        }
    }

    println!("\n{}━━ summary{}", style.bold, style.reset);
    for (step, outcome, cost) in &results {
        let why = match outcome {
            StepOutcome::Passed => "",
            StepOutcome::Failed(why) | StepOutcome::Skipped(why) => why,
        };
        println!("{} {:<8} {cost}  {why}", style.mark(outcome), step.name);
    }
    for step in &steps[results.len()..] {
        println!("- {:<8} not run", step.name);
    }
    println!("{} in all", started.read());

    let count = |test: fn(&StepOutcome) -> bool| {
        results.iter().filter(|(_, outcome, _)| test(outcome)).count()
    };
    let failed = count(|outcome| matches!(outcome, StepOutcome::Failed(_)));
    let skipped =
        count(|outcome| matches!(outcome, StepOutcome::Skipped(_))) + steps.len() - results.len();
    println!(
        "steps: {} passed, {failed} failed, {skipped} skipped",
        count(|outcome| matches!(outcome, StepOutcome::Passed)),
    );
    flush();
    failed == 0
}

/// The steps whose names are given, in their own order; all of them if none is named.
pub(crate) fn choose<'a>(all: &'a [Step], names: &[String]) -> Result<Vec<&'a Step>, String> {
    if let Some(unknown) = names.iter().find(|name| all.iter().all(|step| step.name != **name)) {
        let known: Vec<&str> = all.iter().map(|step| step.name).collect();
        return Err(format!("there is no step {unknown:?}; the steps are {}", known.join(", ")));
    }
    Ok(all.iter().filter(|step| names.is_empty() || names.iter().any(|n| n == step.name)).collect())
}

/// `12.3 s`, `4 min 05 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    let all = duration.as_secs();
    if all < 120 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {:02} s", all / 60, all % 60)
    }
}

/// The time that a step took.
struct Cost {
    elapsed: Duration,
    /// Of the processors, for all that the step started; `None` where the system does not say.
    cpu: Option<Duration>,
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>12}", seconds(self.elapsed))?;
        self.cpu.map_or(Ok(()), |cpu| write!(f, " (CPU {:>12})", seconds(cpu)))
    }
}

struct Meter {
    begun: Instant,
    cpu: Option<Duration>,
}

impl Meter {
    fn start() -> Self {
        Self { begun: Instant::now(), cpu: cpu_of_children() }
    }

    fn read(&self) -> Cost {
        let cpu = cpu_of_children().zip(self.cpu).map(|(now, then)| now.saturating_sub(then));
        Cost { elapsed: self.begun.elapsed(), cpu }
    }
}

/// The processors' time of all children that have ended, with theirs: `cutime` and `cstime` of
/// proc(5), in hundredths of a second on every Linux.
fn cpu_of_children() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name, in brackets, may hold spaces; the third field follows it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks(16)? + ticks(17)?)))
}

/// What we print must stand before what the next child prints, also in a file.
fn flush() {
    // A closed pipe shows soon enough in what follows.
    let _ = std::io::stdout().flush();
}

struct Style {
    bold: &'static str,
    green: &'static str,
    red: &'static str,
    yellow: &'static str,
    reset: &'static str,
}

impl Style {
    /// Colours on a terminal that has not been asked to do without (<https://no-color.org>).
    fn detect() -> Self {
        if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
            Self {
                bold: "\x1b[1m",
                green: "\x1b[32m",
                red: "\x1b[31m",
                yellow: "\x1b[33m",
                reset: "\x1b[0m",
            }
        } else {
            Self { bold: "", green: "", red: "", yellow: "", reset: "" }
        }
    }

    fn mark(&self, outcome: &StepOutcome) -> String {
        let (colour, mark) = match outcome {
            StepOutcome::Passed => (self.green, "✓"),
            StepOutcome::Failed(_) => (self.red, "✗"),
            StepOutcome::Skipped(_) => (self.yellow, "-"),
        };
        format!("{colour}{mark}{}", self.reset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [Step; 3] = [
        Step { name: "good", title: "", run: || StepOutcome::Passed },
        Step { name: "bad", title: "", run: || StepOutcome::Failed("why".to_owned()) },
        Step { name: "absent", title: "", run: || StepOutcome::Skipped("why".to_owned()) },
    ];

    fn names(chosen: &[&Step]) -> Vec<&'static str> {
        chosen.iter().map(|step| step.name).collect()
    }

    #[test]
    fn steps_are_chosen_by_name_and_keep_their_order() {
        let all = choose(&STEPS, &[]).expect("no name means all");
        assert_eq!(names(&all), ["good", "bad", "absent"]);
        let two = choose(&STEPS, &["absent".to_owned(), "good".to_owned()]).expect("both exist");
        assert_eq!(names(&two), ["good", "absent"]);
        let error = choose(&STEPS, &["nothing".to_owned()]).err().expect("no such step");
        assert!(error.contains("nothing") && error.contains("absent"), "{error}");
    }

    #[test]
    fn a_failed_step_fails_the_run_and_a_skipped_one_does_not() {
        let [good, bad, absent] = &STEPS;
        assert!(run(&[good, absent], false));
        assert!(!run(&[bad, good], false));
        assert!(!run(&[bad, good], true));
    }
}
